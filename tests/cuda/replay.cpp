/// Training steps recorded and replayed: the same bits as in pieces, whatever comes between them.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "cris/nonfinite.h"
#include "cris/run/replayed_step.h"
#include "nn/init.h"
#include "tensor/cuda/runtime.h"
#include "tensor/ops.h"
#include "tensor/precision.h"
#include "tests/tensor/expect.h"

namespace {

using namespace cris;
using tensor::Device;
using tensor::DType;
using tensor::Tensor;

struct Batch {
  Tensor x, mask;
  Batch(int64_t images, uint32_t number) {
    const auto draw = [&](uint32_t stream, int64_t channels) {
      return tensor::uniform({5, stream, number}, {images, 16, 16, channels}, 0, 1, DType::f32, Device::cpu)
          .to(Device::cuda);
    };
    x = draw(1, 3);
    mask = tensor::map(tensor::Threshold{0.5}, draw(2, 1));
  }
};

struct Training {
  Model model;
  nn::Adam optimizer;
  ReplayedStep step;
  std::vector<double> losses;
  std::vector<bool> replayed;

  explicit Training(bool replay, Strategy strategy = Strategy::cris)
      : model({.backbone = {.base = 2},
               .strategy = strategy,
               .refiner = {.channels = 3, .kernels = {3, 3}, .dropout = 0.3},
               .crf = {}}),
        optimizer((nn::initialize(model, 1), model.to(Device::cuda), model)),
        step(model, optimizer, {.strategy = strategy, .seed = 7}, replay) {}

  void take(int64_t epoch, uint32_t number, int64_t images = 3) {
    const Batch batch(images, number);
    bool asked = false;
    tensor::Tensor following;  // the next batch, which comes while a replay computes
    losses.push_back(step.take({.epoch = epoch, .number = number}, batch.x, batch.mask, 1e-3 / (1 + number), [&] {
      following = Batch(images, number + 1).x;
      asked = true;
    }));
    replayed.push_back(step.replayed());
    CHECK(asked == step.replayed());
  }

  /// Weights, running statistics, counters, moments and their steps.
  std::vector<double> state() {
    std::vector<double> all;
    const auto append = [&](const Tensor& t) {
      for (const double v : t.to_vector()) all.push_back(v);
    };
    for (const auto& p : model.parameters()) append(p.value->value());
    for (const auto& b : model.buffers()) append(*b.value);
    for (const auto& c : model.counters()) all.push_back(double(*c.value));
    for (const auto& [name, s] : optimizer.state()) {
      for (const Tensor& m : s.moments) append(m);
      all.push_back(double(s.step));
    }
    return all;
  }
};

// Epochs of either loss.
constexpr int64_t kMse = 0, kBce = 1;

}  // namespace

TEST_CASE("cuda: replayed steps have the bits of steps in pieces") {
  SUBCASE("f32") {}
  SUBCASE("bf16") { tensor::set_precision(tensor::Precision::bf16); }
  Training pieces(false), replays(true);
  for (Training* t : {&pieces, &replays}) {
    // Both losses, a short batch, and other work that uses the device's memory in between.
    uint32_t number = 0;
    for (const int64_t loss : {kMse, kMse, kMse, kBce, kBce, kMse, kBce}) t->take(loss, number++);
    t->take(kBce, number++, 2);
    t->step.between_steps([&] {
      const autograd::NoGrad off;
      t->model.train(false);
      t->losses.push_back(tensor::sum(t->model(Variable(Batch(2, 99).x)).output.value()).item());
      t->model.train();
    });
    for (const int64_t loss : {kBce, kMse}) t->take(loss, number++);
  }
  CHECK(pieces.losses == replays.losses);
  CHECK(pieces.state() == replays.state());
  CHECK(pieces.replayed == std::vector<bool>(10, false));
  // The first step of a kind, and the short batch, are taken in pieces.
  CHECK(replays.replayed == std::vector<bool>{false, true, true, false, true, true, true, false, true, true});
  CHECK(replays.step.refusal().empty());
  tensor::set_precision(tensor::Precision::f32);
}

TEST_CASE("cuda: a tensor that lies where recorded steps ran makes them be recorded again, not overwritten") {
  Training pieces(false), replays(true);
  std::vector<double> kept;
  for (Training* t : {&pieces, &replays}) {
    for (uint32_t number = 0; number < 3; ++number) t->take(kMse, number);
    Tensor guest;
    t->step.between_steps([&] { guest = tensor::full({1 << 16}, 3, DType::f32, Device::cuda); });
    for (uint32_t number = 3; number < 5; ++number) t->take(kMse, number);
    kept.push_back(tensor::sum(guest).item());
  }
  CHECK(kept == std::vector<double>(2, 3 << 16));
  CHECK(pieces.losses == replays.losses);
  CHECK(pieces.state() == replays.state());
  CHECK(replays.step.replayed());
}

TEST_CASE("cuda: the loss and a gradient that are not finite are seen in replays too") {
  Training t(true);
  for (uint32_t number = 0; number < 2; ++number) t.take(kMse, number);
  const Batch batch(3, 2);
  tensor::backend(Device::cuda).fill(std::numeric_limits<double>::quiet_NaN(), batch.x);
  CHECK_THROWS_WITH_AS(t.step.take({.epoch = kMse, .number = 2}, batch.x, batch.mask, 1e-3),
                       doctest::Contains("not finite: backbone.encoder.0.conv1.weight; lower"), NonFiniteError);
  CHECK(t.step.replayed());
}

TEST_CASE("cuda: what cannot be recorded is told, and steps go on in pieces") {
  auto& device = tensor::backend(Device::cuda);
  const Tensor x = tensor::full({3}, 2, DType::f32, Device::cuda);
  const auto refusal = [](const std::function<void()>& work) {
    return message_of([&] { tensor::cuda::record({}, work); });
  };
  CHECK(contains(refusal([&] { x.to_vector(); }), "12 bytes to the host cannot be recorded"));
  CHECK(contains(refusal([&] { x.to(Device::cpu).to(Device::cuda); }), "cannot be recorded"));
  CHECK(contains(refusal([&] { device.synchronize(); }), "cannot be recorded"));
  // Nothing of it is left: the device computes, and a recording computes when it is replayed, not before.
  const Tensor y = tensor::full({3}, 1, DType::f32, Device::cuda);
  const auto recording = tensor::cuda::record({}, [&] { device.map(tensor::Affine{.scale = 10, .shift = 0}, x, y); });
  CHECK(y.to_vector() == std::vector<double>{1, 1, 1});
  recording->replay();
  CHECK(y.to_vector() == std::vector<double>{20, 20, 20});

  Training crf(true, Strategy::crf);
  for (uint32_t number = 0; number < 2; ++number) crf.take(kBce, number);
  CHECK(crf.replayed == std::vector<bool>{false, false});
}
