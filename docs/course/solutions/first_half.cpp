/// Chapters 1 to 6.
#include <cmath>

#include "autograd/gradcheck.h"
#include "cris/blocks.h"
#include "cris/model.h"
#include "docs/course/solutions/solutions.h"
#include "nn/optimizer.h"

namespace course {

namespace {

using autograd::Variable;
using tensor::Device;
using tensor::DType;
using tensor::Tensor;

Variable leaf(double value) { return Variable(Tensor::from<double>({value}, {1}, Device::reference), true); }

Tensor zeros(const tensor::Shape& shape) { return tensor::zeros(shape, DType::f32, Device::cpu); }

/// tanh(x) = 2 sigmoid(2 x) - 1, whose gradient is 1 - y^2.
Variable hyperbolic_tangent(const Variable& x) {
  const Tensor s = tensor::map(tensor::Sigmoid{}, tensor::map(tensor::Affine{2, 0}, x.value()));
  const Tensor y = tensor::map(tensor::Affine{2, -1}, s);
  return autograd::record("hyperbolic_tangent", y,
                          {{x, [y](const Tensor& dy) {
                              const Tensor square = tensor::zip(tensor::Multiply{}, y, y);
                              return tensor::zip(tensor::Multiply{}, dy, tensor::map(tensor::Affine{-1, 1}, square));
                            }}});
}

double difference_quotient(double (*f)(double), double x, double h) { return (f(x + h) - f(x - h)) / (2 * h); }

/// One parameter under an optimiser whose gradient is always `gradient`.
struct OneWeight : nn::Module {
  Variable w = leaf(1);
  void visit(nn::Visitor& v) override { v.parameter("w", w); }
};

double after_steps(nn::OptimizerOptions options, double rate, double gradient, int steps) {
  OneWeight module;
  const auto optimizer = nn::make_optimizer(module, options);
  for (int i = 0; i < steps; ++i) {
    module.zero_grad();
    autograd::backward(autograd::affine(module.w, gradient, 0));
    optimizer->step(rate);
  }
  return module.w.value().item();
}

}  // namespace

Answers chapter_tensor() {
  const tensor::Shape s{4, 256, 256, 3};
  const int64_t place = ((2 * s[1] + 10) * s[2] + 20) * s[3] + 1;
  const Tensor y = tensor::conv2d(zeros({1, 128, 128, 3}), zeros({16, 5, 5, 3}), {}, {.stride = 2, .padding = 2});
  const Tensor image = Tensor::from<double>({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 3, 3, 1}, Device::reference);
  const Tensor ones = tensor::full({1, 3, 3, 1}, 1, DType::f64, Device::reference);
  return {number(double(place)), number(double(zeros(s).bytes())), number(double(y.size())),
          number(tensor::conv2d(image, ones, {}, {.padding = 1}).to_vector()[0])};
}

Answers chapter_gradients() {
  // (a b + c)^2 with c = 5; x^3 by a graph; tanh.
  const Variable a = leaf(2), inner = a * leaf(-3) + leaf(5);
  backward(inner * inner);
  const Variable x = leaf(3);
  backward(x * x * x);
  const Variable z = leaf(0.5);
  backward(hyperbolic_tangent(z));
  const Variable once = leaf(1), loss = once * once;
  backward(loss);
  std::string twice = "yes";
  try {
    backward(loss);
  } catch (const tensor::Error&) {
    twice = "no";
  }
  return {number(a.grad().item()), number(x.grad().item()), number(z.grad().item()), twice};
}

Answers chapter_an_op() {
  const Variable x(Tensor::from<double>({-2, 3}, {2}, Device::reference), true);
  backward(relu(x), Tensor::from<double>({7, 7}, {2}, Device::reference));
  // Windows of 2 that overlap: the 9 in the middle of 3x3 wins all four.
  const Variable image(Tensor::from<double>({1, 2, 3, 4, 9, 5, 6, 7, 8}, {1, 3, 3, 1}, Device::reference), true);
  backward(max_pool2d(image, 2, 1).y);
  const Variable w(tensor::full({1, 3, 3, 1}, 1, DType::f64, Device::reference), true);
  const Variable five(tensor::full({1, 5, 5, 1}, 1, DType::f64, Device::reference));
  backward(conv2d(five, w, {}, {}));
  const Variable at(Tensor::from<double>({-1}, {1}, Device::reference), true);
  const Variable leaky = relu(at) - 0.1 * relu(-at);  // slope 0.1 below 0
  backward(leaky);
  return {number(x.grad().to_vector()[0]), number(image.grad().to_vector()[4]), number(w.grad().to_vector()[0]),
          number(at.grad().item())};
}

Answers chapter_is_it_right() {
  const auto fifth = [](double v) { return v * v * v * v * v; };
  const double wrong = difference_quotient(fifth, 1, 0.1) - 5;
  const double halved = (difference_quotient(fifth, 1, 0.01) - 5) / (difference_quotient(fifth, 1, 0.005) - 5);
  const double one_sided = std::abs((fifth(1.001) - fifth(1)) / 0.001 - 5);
  return {number(wrong), number(std::round(halved)), number(one_sided), "f64"};
}

Answers chapter_learning() {
  return {number(after_steps({.kind = nn::OptimizerKind::sgd}, 0.1, 2, 3)),
          number(after_steps({.kind = nn::OptimizerKind::sgd, .momentum = 0.9}, 0.1, 2, 3)),
          number(after_steps({}, 0.01, 2, 1)), number(after_steps({}, 0.01, 2000, 1))};
}

Answers chapter_networks() {
  nn::Conv2d conv({.in = 64, .out = 128, .kernel = 3});
  cris::DoubleConv block(3, 8);
  cris::Model with({.backbone = {.base = 8}, .strategy = cris::Strategy::cris}),
      without({.backbone = {.base = 8}, .strategy = cris::Strategy::backbone});
  return {number(double(conv.parameter_count())), number(double(block.parameter_count())), number(256.0 / 16),
          number(double(with.parameter_count() - without.parameter_count()))};
}

}  // namespace course
