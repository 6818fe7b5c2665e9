/// The graph: what is recorded, what is kept, and how it is walked.
#include "autograd/variable.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "autograd/op_cases.h"
#include "tensor/machine/allocator.h"
#include "tests/message.h"

using namespace autograd;
using tensor::Device;
using tensor::DType;
using tensor::Shape;

namespace {

Tensor vector(std::vector<double> values) {
  const int64_t n = int64_t(values.size());
  return Tensor::from(values, Shape{n}, Device::reference);
}

Variable parameter(std::vector<double> values) { return Variable(vector(std::move(values)), true); }

int64_t live_bytes() { return tensor::memory_stats(Device::reference).live; }

Tensor noise(const Shape& shape, uint32_t stream) {
  return tensor::uniform({3, stream, 0}, shape, -1, 1, DType::f32, Device::reference);
}

}  // namespace

TEST_CASE("gradients of a shared value add up") {
  const Variable a = parameter({2, 3});
  backward(sum(add(multiply(a, a), a)));
  CHECK(a.grad().to_vector() == std::vector<double>{5, 7});
}

TEST_CASE("gradients accumulate over walks until they are dropped") {
  Variable a = parameter({2, 3});
  backward(sum(affine(a, 4, 0)));
  const Tensor first = a.grad();
  backward(sum(affine(a, 4, 0)));
  CHECK(a.grad().to_vector() == std::vector<double>{8, 8});
  CHECK(first.to_vector() == std::vector<double>{4, 4});
  a.zero_grad();
  CHECK_FALSE(a.grad().defined());
}

TEST_CASE("a leaf that the loss does not depend on keeps no gradient") {
  const Variable a = parameter({1, 2}), unused = parameter({3, 4});
  backward(sum(a));
  CHECK(a.grad().defined());
  CHECK_FALSE(unused.grad().defined());
}

TEST_CASE("gradients of leaves never share memory with one another or the cotangent") {
  const Variable a = parameter({1, 2}), b = parameter({3, 4});
  const Tensor cotangent = vector({1, 10});
  backward(add(a, b), cotangent);
  CHECK(a.grad().unique());
  CHECK(b.grad().unique());
  CHECK(cotangent.unique());
  CHECK(a.grad().to_vector() == b.grad().to_vector());
}

TEST_CASE("the caller's cotangent is not overwritten") {
  const Variable a = parameter({1, 2});
  const Tensor cotangent = vector({1, 10});
  backward(affine(affine(a, 3, 0), 2, 0), cotangent);
  CHECK(cotangent.to_vector() == std::vector<double>{1, 10});
  CHECK(a.grad().to_vector() == std::vector<double>{6, 60});
}

TEST_CASE("a graph is walked once") {
  const Variable a = parameter({1, 2});
  const Variable square = multiply(a, a), loss = sum(square), other = mean(square);
  backward(loss);
  CHECK_REFUSED(backward(loss), "walked before");
  CHECK_REFUSED(backward(other), "walked before");
  CHECK(a.grad().to_vector() == std::vector<double>{2, 4});
}

TEST_CASE("backward says what is missing") {
  const Variable constant(vector({1, 2}));
  CHECK_REFUSED(backward(sum(constant)), "requires a gradient");
  CHECK_REFUSED(backward(Variable()), "undefined");
  CHECK_REFUSED(backward(parameter({1, 2}), vector({1})), "cotangent");
  const Variable a = parameter({1, 2});
  const Variable wrong = record("wrong", vector({1}), {{a, [](const Tensor& dy) { return dy; }}});
  CHECK_REFUSED(backward(wrong), "wrong gave a gradient");
}

TEST_CASE("only leaves change their value or their need for a gradient") {
  Variable a = parameter({1, 2}), y = affine(a, 1, 0);
  CHECK_THROWS_AS(y.set_value(vector({1})), tensor::Error);
  CHECK_THROWS_AS(y.set_requires_grad(false), tensor::Error);
  const Variable copy = a;
  a.set_value(vector({7, 8, 9}));
  CHECK(copy.value().to_vector() == std::vector<double>{7, 8, 9});
  CHECK(copy.shape() == Shape{3});
}

TEST_CASE("detach cuts the graph") {
  const Variable a = parameter({2, 3});
  backward(sum(multiply(a, affine(a, 1, 0).detach())));
  CHECK(a.grad().to_vector() == std::vector<double>{2, 3});
}

TEST_CASE("NoGrad records nothing and restores what was") {
  const Variable a = parameter({2, 3});
  {
    const NoGrad outer;
    { const NoGrad inner; }
    CHECK_FALSE(grad_enabled());
    CHECK_FALSE(affine(a, 2, 0).requires_grad());
  }
  CHECK(grad_enabled());
  CHECK(affine(a, 2, 0).requires_grad());
}

TEST_CASE("formulas of inputs that need no gradient are dropped with what they captured") {
  const Variable a = parameter({1, 2}), constant(vector({3, 4}));
  const auto for_a = std::make_shared<int>(), for_constant = std::make_shared<int>();
  const Variable y = record(
      "both", vector({5, 6}),
      {{a, [for_a](const Tensor& dy) { return dy; }}, {constant, [for_constant](const Tensor& dy) { return dy; }}});
  CHECK(for_a.use_count() == 2);
  CHECK(for_constant.use_count() == 1);
  backward(y, vector({1, 1}));
  CHECK(for_a.use_count() == 1);
}

TEST_CASE("a frozen convolution does not keep its image") {
  const int64_t before = live_bytes();
  Variable x(noise({1, 16, 16, 8}, 1), true);
  const int64_t image = live_bytes() - before;
  const Variable w(noise({8, 3, 3, 8}, 2)), trained(noise({8, 3, 3, 8}, 2), true);
  const int64_t weights = live_bytes() - before - image;
  const auto forward = [&](const Variable& weight) { return sum(conv2d(affine(x, 1, 0), weight, {}, {1, 1})); };
  const Variable frozen_loss = forward(w);
  CHECK(live_bytes() - before < image + weights + image / 2);
  const Variable trained_loss = forward(trained);
  CHECK(live_bytes() - before >= 2 * image + weights);
}

TEST_CASE("values that can be made again are freed in the forward pass and give the same bits") {
  const Shape image{2, 16, 16, 8}, row{8};
  const int64_t bytes = image.count() * 4;
  const auto run = [&](bool kept, int64_t& held) {
    const Variable x(noise(image, 1), true), w(noise({4, 3, 3, 16}, 2), true);
    const Variable gamma(noise(row, 3), true), beta(noise(row, 4), true);
    const Tensor mean = tensor::zeros(row, DType::f32, Device::reference), var = tensor::full_like(mean, 1);
    std::vector<Variable> alive;
    const int64_t before = live_bytes();
    const auto forward = [&] {
      const Variable y = batch_norm(x, gamma, beta, mean, var, {.activation = Activation::relu});
      const Variable both = concat({y, x});
      if (kept) alive = {y, both};
      return sum(conv2d(both, w, {}, {1, 1}));
    };
    const Variable loss = forward();
    held = live_bytes() - before;
    backward(loss);
    return std::vector{x.grad().to_vector(), w.grad().to_vector(), gamma.grad().to_vector(), beta.grad().to_vector()};
  };
  int64_t with_values = 0, without = 0;
  const auto kept = run(true, with_values), remade = run(false, without);
  CHECK(with_values >= 3 * bytes);
  CHECK(without < bytes / 2);
  CHECK(kept == remade);
}

TEST_CASE("a value is made again once while somebody holds it") {
  int made = 0;
  const Variable a = parameter({1, 2});
  Saved first, second;
  {
    const Variable y = record("cheap", vector({3, 4}), {{a, [](const Tensor& dy) { return dy; }}}, [&made] {
      ++made;
      return vector({3, 4});
    });
    first = Saved(y);
    second = Saved(y);
    CHECK(first.get().storage() == y.value().storage());
  }
  CHECK(made == 0);
  {
    const Tensor again = first.get();
    CHECK(second.get().storage() == again.storage());
    CHECK(made == 1);
  }
  second.get();
  CHECK(made == 2);
  CHECK(first.shape() == Shape{2});
}

TEST_CASE("a walk leaves nothing behind but the gradients of leaves") {
  for (const OpCase& c : op_cases()) {
    CAPTURE(c.name);
    const int64_t before = live_bytes();
    { run_case(c, case_inputs(c, DType::f32, Device::reference)); }
    CHECK(live_bytes() == before);
  }
}

TEST_CASE("deep graphs are walked and destroyed without deep recursion") {
  const Variable a = parameter({1});
  Variable y = a;
  for (int i = 0; i < 100000; ++i) y = affine(y, 1, 0);
  Variable dropped = y;
  for (int i = 0; i < 100000; ++i) dropped = affine(dropped, 1, 0);
  dropped = {};
  backward(y);
  CHECK(a.grad().item() == 1);
}

TEST_CASE("the gradient of batch norm over few values survives f32, though it is a small rest of large numbers") {
  // Two values a channel, far apart against epsilon: xhat is nearly +-1, and dx about 1e-6 of dy.
  const std::vector<double> x{1.5, -2.25, -1.75, 3.5}, dy{0.75, -1.25, 0.5, 2.0};
  const auto gradient = [&](DType dtype) {
    const auto row = [&](double value) { return tensor::full({2}, value, dtype, Device::cpu); };
    const auto of = [&](const std::vector<double>& v) {
      return tensor::cast(Tensor::from(v, {2, 1, 1, 2}, Device::cpu), dtype);
    };
    Variable v(of(x), true);
    const Tensor running_mean = row(0), running_var = row(1);
    const Variable y = batch_norm(v, Variable(row(1.25)), Variable(row(0.5)), running_mean, running_var, {});
    CHECK(y.value().dtype() == dtype);
    CHECK(running_var.dtype() == dtype);
    backward(y, of(dy));
    return v.grad().to_vector();
  };
  const auto single = gradient(DType::f32), exact = gradient(DType::f64);
  for (size_t i = 0; i < exact.size(); ++i) {
    CHECK(std::abs(exact[i]) < 1e-5);
    CHECK(std::abs(single[i] - exact[i]) < 1e-5 * std::abs(exact[i]));
  }
}

TEST_CASE("signs between variables and numbers are the functions that they stand for") {
  const Variable a = parameter({1, 2}), b = parameter({10, 5});
  const auto values = [](const Variable& v) { return v.value().to_vector(); };
  using Values = std::vector<double>;
  CHECK(values(a + b) == Values{11, 7});
  CHECK(values(a - b) == Values{-9, -3});
  CHECK(values(a * b) == Values{10, 10});
  CHECK(values(-a) == Values{-1, -2});
  CHECK(values(a + 3) == Values{4, 5});
  CHECK(values(3 + a) == Values{4, 5});
  CHECK(values(a - 3) == Values{-2, -1});
  CHECK(values(3 - a) == Values{2, 1});
  CHECK(values(a * 3) == Values{3, 6});
  CHECK(values(3 * a) == Values{3, 6});
  CHECK(values(b / 5) == Values{2, 1});
  backward(sum(2 * (a * a) - a / 2));
  CHECK(a.grad().to_vector() == Values{3.5, 7.5});
}

TEST_CASE("cross entropy and linear refuse what does not fit, and say what") {
  const Variable z(Tensor::from<double>({0, 1, 2, 3}, {2, 2}, Device::reference), true);
  const auto classes = [](std::vector<int32_t> c) {
    const int64_t n = int64_t(c.size());
    return Tensor::from(c, {n}, Device::reference);
  };
  CHECK(cross_entropy(z, classes({0, 1})).value().to_vector()[0] ==
        doctest::Approx((std::log(1 + std::exp(1.0)) + std::log(1 + std::exp(-1.0))) / 2));
  CHECK_REFUSED(cross_entropy(z, classes({0, 2})), "class 2 at place 1 is not one of the 2");
  CHECK_REFUSED(cross_entropy(z, classes({0, -1})), "class -1");
  CHECK_REFUSED(cross_entropy(z, classes({0, 1, 1})), "[3], expected [2]");
  CHECK_REFUSED(cross_entropy(z, vector({0, 1})), "must be i32");
  CHECK_REFUSED(tensor::cross_entropy_grad(z.value(), classes({0, 1, 1})), "cross_entropy_grad");
  CHECK_REFUSED(linear(z, Variable(noise({3, 4}, 1)), {}), "linear: x [2, 2]");
}
