/// Optimisers against arithmetic by hand, and learning rates.
#include "nn/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/schedule.h"
#include "tests/message.h"

using namespace nn;
using tensor::Device;
using tensor::DType;

namespace {

struct Pair : Module {
  Variable a{Tensor::from<double>({1, -2, 0.5}, {3}, Device::reference), true};
  Variable b{Tensor::from<double>({4}, {1}, Device::reference), true};
  void visit(Visitor& v) override {
    v.parameter("a", a);
    v.parameter("b", b);
  }
};

void set_gradient(Variable& v, const std::vector<double>& g) {
  v.node()->grad = Tensor::from(g, v.shape(), Device::reference);
}

}  // namespace

TEST_CASE("Adam follows its formula, and leaves a parameter without a gradient alone") {
  Pair pair;
  Adam adam(pair, {.beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-3, .weight_decay = 0.1});
  const double gradients[3][3] = {{0.1, -0.2, 3}, {0.5, 0.5, -1}, {0, 1e-5, 2}};
  double w[3] = {1, -2, 0.5}, m[3] = {}, v[3] = {};
  for (int step = 1; step <= 3; ++step) {
    const double* g = gradients[step - 1];
    set_gradient(pair.a, {g[0], g[1], g[2]});
    adam.step(0.01);
    for (int i = 0; i < 3; ++i) {
      const double d = g[i] + 0.1 * w[i];
      m[i] = 0.8 * m[i] + 0.2 * d;
      v[i] = 0.9 * v[i] + 0.1 * d * d;
      w[i] -= 0.01 * (m[i] / (1 - std::pow(0.8, step))) / (std::sqrt(v[i] / (1 - std::pow(0.9, step))) + 1e-3);
      CHECK(pair.a.value().to_vector()[size_t(i)] == doctest::Approx(w[i]).epsilon(1e-13));
    }
  }
  CHECK(pair.b.value().item() == 4);
  CHECK(adam.state().count("b") == 0);
  CHECK(adam.state().at("a").step == 3);

  // The first gradient of b, later: its own counter starts at 1, so its bias correction is that of a first step.
  pair.zero_grad();
  set_gradient(pair.b, {2});
  adam.step(0.01);
  CHECK(adam.state().at("b").step == 1);
  CHECK(adam.state().at("a").step == 3);
  CHECK(pair.b.value().item() == doctest::Approx(4 - 0.01 * 2.4 / (2.4 + 1e-3)).epsilon(1e-13));
  CHECK(pair.a.value().to_vector()[0] == doctest::Approx(w[0]).epsilon(1e-13));
}

TEST_CASE("SGD with momentum follows its formula") {
  Pair pair;
  Sgd sgd(pair, {.momentum = 0.9, .weight_decay = 0.01});
  double w = 4, velocity = 0;
  for (const double g : {1.0, -0.5, 2.0}) {
    set_gradient(pair.b, {g});
    sgd.step(0.1);
    velocity = 0.9 * velocity + g + 0.01 * w;
    w -= 0.1 * velocity;
    CHECK(pair.b.value().item() == doctest::Approx(w).epsilon(1e-14));
  }
}

TEST_CASE("a state that does not fit is refused and changes nothing") {
  Pair pair;
  Adam adam(pair);
  set_gradient(pair.a, {1, 1, 1});
  adam.step(0.1);
  const Tensor three = tensor::zeros({3}, DType::f64, Device::reference);
  CHECK_REFUSED(adam.set_state({{"c", {{three, three}, 1}}}), "no parameter is called c");
  CHECK_THROWS_AS(adam.set_state({{"b", {{three, three}, 1}}}), tensor::Error);
  CHECK_THROWS_AS(adam.set_state({{"a", {{three}, 1}}}), tensor::Error);
  CHECK(adam.state().at("a").step == 1);
}

TEST_CASE("learning rates are functions of the step") {
  CHECK(learning_rate({.learning_rate = 0.1}, 1000) == 0.1);
  const Schedule step{.kind = ScheduleKind::step, .learning_rate = 1, .period = 10, .factor = 0.5};
  CHECK(learning_rate(step, 9) == 1);
  CHECK(learning_rate(step, 10) == 0.5);
  CHECK(learning_rate(step, 35) == 0.125);
  const Schedule cosine{.kind = ScheduleKind::cosine, .learning_rate = 2, .period = 100, .factor = 0.1};
  CHECK(learning_rate(cosine, 0) == 2);
  CHECK(learning_rate(cosine, 50) == doctest::Approx(1.1));
  CHECK(learning_rate(cosine, 100) == doctest::Approx(0.2));
  CHECK(learning_rate(cosine, 500) == doctest::Approx(0.2));
  const Schedule warm{.kind = ScheduleKind::step, .learning_rate = 8, .period = 6, .factor = 0.5, .warmup = 4};
  CHECK(learning_rate(warm, 0) == 2);
  CHECK(learning_rate(warm, 3) == 8);
  CHECK(learning_rate(warm, 5) == 8);
  CHECK(learning_rate(warm, 6) == 4);
  CHECK_THROWS_AS(tensor::parse<ScheduleKind>("linear"), tensor::Error);
  CHECK_THROWS_AS(learning_rate({.kind = ScheduleKind::step}, 0), tensor::Error);
}
