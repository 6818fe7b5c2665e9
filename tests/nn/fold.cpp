/// Batch norm folded into a convolution gives what both give.
#include "nn/fold.h"

#include <doctest/doctest.h>

using namespace nn;
using tensor::Device;
using tensor::DType;

TEST_CASE("conv_norm with folded weights equals convolution and norm") {
  for (const bool bias : {false, true}) {
    CAPTURE(bias);
    Conv2d conv({.in = 5, .out = 7, .kernel = 3, .padding = 1, .bias = bias});
    BatchNorm2d norm({.channels = 7, .activation = tensor::Activation::relu});
    for (Module* m : {static_cast<Module*>(&conv), static_cast<Module*>(&norm)}) {
      m->to(DType::f64);
      m->to(Device::reference);
    }
    initialize(conv, 1, InitKind::pytorch);
    norm.running_mean = tensor::uniform({1, 1, 1}, {7}, -1, 1, DType::f64, Device::reference);
    norm.running_var = tensor::uniform({1, 1, 2}, {7}, 0.1, 2, DType::f64, Device::reference);
    norm.weight.set_value(tensor::uniform({1, 1, 3}, {7}, -2, 2, DType::f64, Device::reference));
    norm.bias.set_value(tensor::uniform({1, 1, 4}, {7}, -1, 1, DType::f64, Device::reference));
    norm.train(false);
    const Variable x(tensor::uniform({1, 1, 5}, {2, 6, 5, 5}, -1, 1, DType::f64, Device::reference));
    const autograd::NoGrad off;
    const auto apart = conv_norm(conv, norm, {}, x).value().to_vector();
    const auto folded = conv_norm(conv, norm, fold(conv, norm), x).value().to_vector();
    REQUIRE(apart.size() == folded.size());
    for (size_t i = 0; i < apart.size(); ++i) CHECK(folded[i] == doctest::Approx(apart[i]).epsilon(1e-12));
  }
}

TEST_CASE("folded weights refuse to take part in training") {
  Conv2d conv({.in = 1, .out = 2});
  BatchNorm2d norm({.channels = 2});
  const Variable x(tensor::full({1, 4, 4, 1}, 1, DType::f32, Device::cpu));
  CHECK_THROWS_AS(conv_norm(conv, norm, fold(conv, norm), x), tensor::Error);
  BatchNorm2d other({.channels = 3});
  CHECK_THROWS_AS(fold(conv, other), tensor::Error);
}
