/// Chapter 1: a tensor is a block of numbers with a shape.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>

#include "tensor/ops.h"

using namespace tensor;

int main() {
  // Two images of 2 x 3 pixels, each with 2 channels.
  std::vector<float> numbers(24);
  std::iota(numbers.begin(), numbers.end(), 0.0f);
  const Tensor x = Tensor::from(numbers, {2, 2, 3, 2}, Device::cpu);
  fmt::print("x: {}\n", x.to_string());
  fmt::print("{} elements, {} bytes\n", x.size(), x.bytes());
  const Shape& s = x.shape();
  const auto place = [&](int64_t n, int64_t h, int64_t w, int64_t c) { return ((n * s[1] + h) * s[2] + w) * s[3] + c; };
  fmt::print("x[1,0,2,1] is element {}, and holds {}\n\n", place(1, 0, 2, 1), x.data<float>()[place(1, 0, 2, 1)]);

  // Copying a Tensor shares its memory.
  const Tensor same = x, copy = x.clone(), flat = x.reshape({24});
  map_in(same, Affine{10, 0});  // same = 10 same + 0, in place
  fmt::print("after same = 10 same: x[1] is {}, flat[1] is {}, copy[1] is {}\n\n", x.data<float>()[1],
             flat.data<float>()[1], copy.data<float>()[1]);

  // A convolution, by hand and by the library.
  const Tensor image = Tensor::from<double>({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 3, 3, 1}, Device::reference);
  const Tensor weight = Tensor::from<double>({1, 2, 3, 4}, {1, 2, 2, 1}, Device::reference);
  fmt::print("by hand: 1*1 + 2*2 + 4*3 + 5*4 = {}\n", 1 * 1 + 2 * 2 + 4 * 3 + 5 * 4);
  const Tensor y = conv2d(image, weight, {}, {});
  fmt::print("conv2d: {}\n", y.to_string());
  const Tensor padded = conv2d(image, weight, {}, {.stride = 2, .padding = 1});
  fmt::print("stride 2, padding 1: {}\n\n", padded.to_string());

  // Shapes are checked before anything runs.
  try {
    conv2d(image, Tensor::from<double>({1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 2, 2}, Device::reference), {}, {});
  } catch (const Error& e) {
    const std::string message = e.what();  // it ends with the line that complains
    fmt::print("{}\n", message.substr(0, message.rfind(" (")));
  }
}
