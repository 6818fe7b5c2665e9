/// The refiner's starts: what each makes of a mask, and what the first steps of training do to it.
#include "cris/refiner.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "nn/init.h"
#include "nn/optimizer.h"

using namespace cris;
using autograd::Variable;
using tensor::Device;
using tensor::DType;
using tensor::Tensor;

namespace {

const std::vector<double> kMasks = {0, 0.25, 0.5, 0.75, 1};

struct NewRefiner : Refiner {
  NewRefiner(RefinerStart start, uint64_t seed, nn::InitKind kind = nn::InitKind::he) : Refiner({.init = start}) {
    nn::initialize(*this, seed, kind);
  }
  std::vector<double> weights(const std::string& name) {
    for (const auto& p : parameters())
      if (p.name == name) return p.value->value().to_vector();
    FAIL("no parameter ", name);
    return {};
  }
};

/// Masks of an untrained backbone: half sure, a little surer in the polyp, a square of an eighth of each picture.
struct HalfSure {
  Tensor mask, target;
  HalfSure() {
    constexpr int64_t kSide = 32;
    std::vector<double> noise =
        tensor::uniform({3, 1, 0}, {4, kSide, kSide, 1}, 0.25, 0.45, DType::f32, Device::cpu).to_vector();
    std::vector<double> truth;
    for (size_t i = 0; i < noise.size(); ++i) {
      const size_t y = i / kSide % kSide, x = i % kSide;
      truth.push_back(y >= 10 && y < 21 && x >= 8 && x < 19 ? 1 : 0);
      noise[i] += 0.15 * truth.back();
    }
    mask = tensor::cast(Tensor::from(noise, {4, kSide, kSide, 1}, Device::cpu), DType::f32);
    target = tensor::cast(Tensor::from(truth, {4, kSide, kSide, 1}, Device::cpu), DType::f32);
  }
};

/// f(1) - f(0) of the response after `steps` steps of L2.
double rise_after(int steps, RefinerStart start, uint64_t seed) {
  static const HalfSure data;
  NewRefiner refiner(start, seed);
  nn::Adam adam(refiner);
  for (int step = 0; step < steps; ++step) {
    nn::set_random_step(refiner, seed, uint32_t(step));
    refiner.zero_grad();
    autograd::backward(autograd::binary_cross_entropy_with_logits(refiner(Variable(data.mask)), data.target));
    adam.step(1e-3);
  }
  const std::vector<double> f = refiner.response({0, 1});
  return f[1] - f[0];
}

}  // namespace

TEST_CASE("init = copy: a soft copy of the mask, whatever the seed and the draw") {
  for (const nn::InitKind kind : {nn::InitKind::he, nn::InitKind::pytorch})
    for (uint64_t seed = 0; seed < 40; ++seed) {
      CAPTURE(seed);
      const std::vector<double> f = NewRefiner(RefinerStart::copy, seed, kind).response(kMasks);
      CHECK(std::ranges::is_sorted(f));
      CHECK(f[0] < 0.05);
      CHECK(f[2] == doctest::Approx(0.5).epsilon(0.4));
      CHECK(f[4] > 0.95);
    }
}

TEST_CASE("init = draw is the layers' own draw, identity adds a path of ones to it, copy one to the convolutions") {
  for (const nn::InitKind kind : {nn::InitKind::he, nn::InitKind::pytorch}) {
    NewRefiner draw(RefinerStart::draw, 3, kind), identity(RefinerStart::identity, 3, kind),
        copy(RefinerStart::copy, 3, kind);
    nn::Conv2d alone({.in = 16, .out = 16, .kernel = 5, .padding = 2, .activation = tensor::Activation::relu});
    alone.initialize(nn::Initializer(kind, 3), "conv.1");
    CHECK(draw.weights("conv.1.weight") == alone.weight.value().to_vector());
    CHECK(draw.weights("conv.1.bias") == alone.bias.value().to_vector());
    const auto drawn = draw.weights("conv.1.weight"), one = identity.weights("conv.1.weight"),
               path = copy.weights("conv.1.weight");
    for (size_t i = 0; i < drawn.size(); ++i) {
      const size_t to = i / (25 * 16), tap = i / 16 % 25, from = i % 16;
      const bool own = tap == 12 && to == from;
      CHECK(one[i] - drawn[i] == doctest::Approx(own ? 1 : 0));
      CHECK(path[i] - drawn[i] == doctest::Approx(own ? 8.2 : 0).epsilon(0.01));
    }
  }
}

TEST_CASE("the first steps of L2 on half-sure masks turn the identity round and leave the copy rising") {
  int turned = 0;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    CAPTURE(seed);
    for (const int steps : {1, 2, 5, 45}) {
      CAPTURE(steps);
      CHECK(rise_after(steps, RefinerStart::copy, seed) > 0.5);
    }
    turned += rise_after(5, RefinerStart::identity, seed) < 0;
  }
  CHECK(turned >= 2);
}

TEST_CASE("a copy needs two channels, and any odd kernels") {
  Refiner one({.channels = 1});
  CHECK_THROWS_WITH_AS(nn::initialize(one, 1), doctest::Contains("2 or more"), tensor::Error);
  for (const std::vector<int64_t>& kernels : {std::vector<int64_t>{3}, {1}, {9, 1}, {7, 5, 3, 1}})
    for (const int64_t channels : {2, 3, 16}) {
      Refiner refiner({.channels = channels, .kernels = kernels});
      nn::initialize(refiner, 1);
      const std::vector<double> f = refiner.response(kMasks);
      CHECK(std::ranges::is_sorted(f));
      CHECK(f[4] - f[0] > 0.5);
    }
}

TEST_CASE("dropout follows every layer of the refiner but its head") {
  NewRefiner refiner(RefinerStart::draw, 1);
  nn::set_random_step(refiner, 1, 0);
  std::string ops;
  const auto before = autograd::set_observer([&](const autograd::Observed& o) { ops += std::string(o.op) + " "; });
  refiner(Variable(tensor::full({1, 8, 8, 1}, 0.3, DType::f32, Device::cpu)));
  autograd::set_observer(before);
  CHECK(ops == "conv2d relu dropout conv2d relu dropout conv2d relu dropout conv2d ");
}

TEST_CASE(
    "the response is the middle of a large map that is the same everywhere, without dropout, and leaves the mode") {
  NewRefiner refiner(RefinerStart::draw, 5);
  const double f = refiner.response({0.3})[0];
  CHECK(refiner.training());
  refiner.train(false);
  const Variable map(tensor::full({1, 31, 31, 1}, 0.3, DType::f32, Device::cpu));
  CHECK(autograd::sigmoid(refiner(map)).value().to_vector()[15 * 31 + 15] == doctest::Approx(f).epsilon(1e-6));
}
