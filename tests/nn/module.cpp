/// Names, modes, initial values and random keys of modules.
#include "nn/module.h"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/activation.h"
#include "nn/conv.h"
#include "nn/dropout.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/pool.h"
#include "nn/resample.h"
#include "nn/sequential.h"
#include "tests/message.h"

using namespace nn;
using tensor::Device;
using tensor::DType;

namespace {

struct Inner : Module {
  Conv2d conv{{.in = 3, .out = 8, .kernel = 3, .padding = 1}};
  BatchNorm2d norm{{.channels = 8}};
  void visit(Visitor& v) override {
    v.module("conv", conv);
    v.module("norm", norm);
  }
};

struct Outer : Module {
  Inner first;
  ConvTranspose2d up{{.in = 8, .out = 4, .kernel = 2, .stride = 2}};
  Dropout dropout{0.5};
  void visit(Visitor& v) override {
    v.module("stage.0", first);
    v.module("up", up);
    v.module("dropout", dropout);
  }
};

double deviation(const Tensor& t) {
  double total = 0;
  for (const double x : t.to_vector()) total += x * x;
  return std::sqrt(total / double(t.size()));
}

}  // namespace

TEST_CASE("names are dotted paths in the order of visit") {
  Outer outer;
  std::vector<std::string> names;
  for (const auto& p : outer.parameters()) names.push_back(p.name);
  CHECK(names == std::vector<std::string>{"stage.0.conv.weight", "stage.0.conv.bias", "stage.0.norm.weight",
                                          "stage.0.norm.bias", "up.weight", "up.bias"});
  CHECK(outer.buffers().size() == 2);
  CHECK(outer.buffers()[1].name == "stage.0.norm.running_var");
  CHECK(outer.counters().at(0).name == "stage.0.norm.num_batches_tracked");
  CHECK(outer.modules().at(0).name == "");
  CHECK(outer.modules().at(2).name == "stage.0.conv");
  CHECK(outer.parameter_count() == 8 * 27 + 8 + 16 + 8 * 4 * 4 + 4);
}

TEST_CASE("train, to and zero_grad reach every module") {
  Outer outer;
  outer.train(false);
  for (const auto& m : outer.modules()) CHECK_FALSE(m.value->training());
  outer.to(DType::f64);
  outer.to(Device::reference);
  for (const auto& p : outer.parameters()) {
    CHECK(p.value->value().dtype() == DType::f64);
    CHECK(p.value->value().device() == Device::reference);
    CHECK(p.value->requires_grad());
  }
  CHECK(outer.buffers()[0].value->dtype() == DType::f64);
  CHECK_THROWS_AS(outer.to(DType::u8), tensor::Error);
}

TEST_CASE("initial values depend on seed and name only") {
  Outer a;
  Inner alone;
  initialize(a, 7);
  initialize(alone, 7);
  // The same layer under another name gets other numbers, the same module twice the same ones.
  CHECK(a.first.conv.weight.value().to_vector() != alone.conv.weight.value().to_vector());
  Outer b;
  initialize(b, 7);
  CHECK(a.first.conv.weight.value().to_vector() == b.first.conv.weight.value().to_vector());
  initialize(b, 8);
  CHECK(a.first.conv.weight.value().to_vector() != b.first.conv.weight.value().to_vector());
}

TEST_CASE("initial deviations are those of the formulas") {
  Conv2d he({.in = 64, .out = 64, .kernel = 3});
  initialize(he, 1);
  CHECK(deviation(he.weight.value()) * std::sqrt(64 * 9 / 2.0) == doctest::Approx(1).epsilon(0.01));
  CHECK(deviation(he.bias.value()) == 0);
  Conv2d linear({.in = 64, .out = 64, .kernel = 3, .before_relu = false});
  initialize(linear, 1);
  CHECK(deviation(linear.weight.value()) * std::sqrt(64 * 9) == doctest::Approx(1).epsilon(0.01));

  ConvTranspose2d up({.in = 32, .out = 64, .kernel = 2, .stride = 2});
  initialize(up, 1, InitKind::pytorch);
  const double bound = 1 / std::sqrt(64 * 4.0);
  for (const double w : up.weight.value().to_vector()) CHECK(std::abs(w) <= bound);
  CHECK(deviation(up.weight.value()) / bound * std::sqrt(3.0) == doctest::Approx(1).epsilon(0.02));
  CHECK(deviation(up.bias.value()) > 0);
  CHECK_REFUSED(tensor::parse<InitKind>("xavier"), "choose he or pytorch");
}

TEST_CASE("a layer is made with PyTorch's values, and the n-th layer after a seed with the same ones") {
  const auto values = [](const Variable& v) { return v.value().to_vector(); };
  set_layer_seed(5);
  Linear first({.in = 64, .out = 256});
  const Conv2d conv({.in = 64, .out = 32, .kernel = 3});
  const double bound = 1 / std::sqrt(64.0);
  for (const double w : values(first.weight)) CHECK(std::abs(w) <= bound);
  CHECK(deviation(first.weight.value()) / bound * std::sqrt(3.0) == doctest::Approx(1).epsilon(0.02));
  CHECK(deviation(first.bias.value()) / bound * std::sqrt(3.0) == doctest::Approx(1).epsilon(0.1));
  CHECK(deviation(conv.weight.value()) * std::sqrt(64 * 9 * 3.0) == doctest::Approx(1).epsilon(0.02));
  CHECK(values(Linear({.in = 64, .out = 256}).weight) != values(first.weight));
  set_layer_seed(5);
  CHECK(values(Linear({.in = 64, .out = 256}).weight) == values(first.weight));
  set_layer_seed(6);
  CHECK(values(Linear({.in = 64, .out = 256}).weight) != values(first.weight));
  set_layer_seed(0);
  CHECK_REFUSED(Linear({.in = 0, .out = 1}), "0 values to 1");
}

TEST_CASE("a sequence applies its layers in order, names them by number, and initialises them") {
  Sequential net{Linear({.in = 2, .out = 3}), Tanh(), Linear({.in = 3, .out = 1, .bias = false})};
  std::vector<std::string> names;
  for (const auto& p : net.parameters()) names.push_back(p.name);
  CHECK(names == std::vector<std::string>{"0.weight", "0.bias", "2.weight"});
  initialize(net, 1);
  CHECK(deviation(net.layer<0>().bias.value()) == 0);
  const Variable x(tensor::uniform({1, 2, 3}, {5, 2}, -1, 1, DType::f32, Device::cpu));
  const Variable y = net(x);
  CHECK(y.shape() == tensor::Shape{5, 1});
  CHECK(y.value().to_vector() ==
        autograd::matmul(autograd::tanh(autograd::linear(x, net.layer<0>().weight, net.layer<0>().bias)),
                         autograd::reshape(net.layer<2>().weight, {3, 1}))
            .value()
            .to_vector());
  net.train(false);
  CHECK_FALSE(net.layer<0>().training());
}

TEST_CASE("dropout: identity in evaluation, a mask fixed by seed, name and step in training") {
  Outer outer;
  const Variable x(tensor::full({2, 8, 8, 4}, 1, DType::f32, Device::cpu));
  CHECK_REFUSED(outer.dropout(x), "set_random_step");
  set_random_step(outer, 3, 10);
  const auto first = outer.dropout(x).value().to_vector();
  CHECK(first == outer.dropout(x).value().to_vector());
  set_random_step(outer, 3, 11);
  CHECK(first != outer.dropout(x).value().to_vector());
  set_random_step(outer, 3, 10);
  CHECK(first == outer.dropout(x).value().to_vector());
  for (const double y : first) CHECK((y == 0 || y == 2));
  outer.train(false);
  CHECK(outer.dropout(x).value().to_vector() == x.value().to_vector());
  Dropout certain(1.0);
  certain.set_key({});
  CHECK_REFUSED(certain(x), "probability 1");
}

TEST_CASE("pooling, unpooling and upsampling layers keep their shapes") {
  const Variable x(tensor::uniform({1, 2, 3}, {2, 7, 6, 3}, 0, 1, DType::f32, Device::cpu));
  const auto pooled = MaxPool2d(3, 2)(x);
  CHECK(pooled.y.shape() == tensor::Shape{2, 3, 2, 3});
  CHECK(MaxUnpool2d()(pooled.y, pooled).shape() == x.shape());
  CHECK(Upsample({.factor = 3})(x).shape() == tensor::Shape{2, 21, 18, 3});
  CHECK_THROWS_AS(Upsample({.factor = 0}), tensor::Error);
}

TEST_CASE("activation layers are the functions of their names, gradients included") {
  Variable x(Tensor::from<double>({-2, 0, 3}, {3}, Device::reference), true);
  CHECK(ReLU()(x).value().to_vector() == std::vector<double>{0, 0, 3});
  const Variable y = Sigmoid()(x);
  CHECK(y.value().to_vector()[1] == 0.5);
  CHECK(y.value().to_vector()[2] == doctest::Approx(1 / (1 + std::exp(-3.0))));
  autograd::backward(autograd::sum(y));
  CHECK(x.grad().to_vector()[1] == doctest::Approx(0.25));
  CHECK(ReLU().parameters().empty());
}

TEST_CASE("batch norm counts batches in training only") {
  BatchNorm2d norm({.channels = 3});
  const Variable x(tensor::uniform({1, 2, 3}, {2, 4, 4, 3}, 0, 1, DType::f32, Device::cpu));
  norm(x);
  norm(x);
  CHECK(norm.num_batches_tracked == 2);
  norm.train(false);
  norm(x);
  CHECK(norm.num_batches_tracked == 2);
}
