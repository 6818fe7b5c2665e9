/// Chapter 3: an op is a forward pass and a formula for its gradient.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "autograd/ops.h"

using namespace autograd;
using tensor::Device;
using tensor::zip;

namespace {

/// swish(x) = x sigmoid(x).  d/dx = s + y (1 - s), with s = sigmoid(x) and y = x s.
Variable swish(const Variable& x) {
  const Tensor s = tensor::map(tensor::Sigmoid{}, x.value());
  const Tensor y = zip(tensor::Multiply{}, x.value(), s);
  return record("swish", y, {{x, [s, y](const Tensor& dy) {
                                const Tensor rest = tensor::map(tensor::Affine{-1, 1}, s);  // 1 - s
                                const Tensor slope = zip(tensor::Add{}, s, zip(tensor::Multiply{}, y, rest));
                                return zip(tensor::Multiply{}, dy, slope);
                              }}});
}

Variable numbers(const std::vector<double>& values, const tensor::Shape& shape) {
  return Variable(Tensor::from(values, shape, Device::reference), true);
}

void print(const char* what, const Tensor& t) { fmt::print("{:<24} {:8.4f}\n", what, fmt::join(t.to_vector(), " ")); }

}  // namespace

int main() {
  const std::vector<double> values{-4, -1, 0, 1, 4};
  const Variable x = numbers(values, {5}), same = numbers(values, {5});
  const Variable y = swish(x);
  backward(y);
  const Variable composed = same * sigmoid(same);
  backward(composed);
  print("x", x.value());
  print("swish(x)", y.value());
  print("its gradient", x.grad());
  print("x sigmoid(x), composed", composed.value());
  print("its gradient", same.grad());
  fmt::print("\n");

  // Max pooling hands each gradient back to the pixel that won.
  const Variable image = numbers({1, 9, 2, 3,   //
                                  4, 5, 8, 1,   //
                                  7, 0, 2, 2,   //
                                  3, 6, 2, 2},  //
                                 {1, 4, 4, 1});
  const Pooled pooled = max_pool2d(image);
  backward(pooled.y, Tensor::from<double>({10, 20, 30, 40}, {1, 2, 2, 1}, Device::reference));
  fmt::print("maxima {}, at places {}\n", fmt::join(pooled.y.value().to_vector(), " "),
             fmt::join(pooled.index.to_vector(), " "));
  const std::vector<double> dx = image.grad().to_vector();
  for (size_t row = 0; row < 4; ++row)
    fmt::print("{:4}\n", fmt::join(dx.begin() + 4 * long(row), dx.begin() + 4 * long(row + 1), ""));
}
