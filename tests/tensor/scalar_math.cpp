/// exp, log and tanh in f32 against the C library in f64, over the whole range.
#include "tensor/scalar_math.h"

#include <algorithm>
#include <limits>

#include "expect.h"

using namespace tensor;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kSmallestNormal = std::numeric_limits<float>::min();
constexpr float kLargest = std::numeric_limits<float>::max();

/// |y - exact| in units of the last place of `exact` as a float.
double ulps(float y, double exact) {
  return std::abs(double(y) - exact) / std::ldexp(1.0, std::max(std::ilogb(exact), -126) - 23);
}

/// The largest error so far, and where.
struct Worst {
  double error = 0;
  float at = 0;
  void meet(float x, float y, double exact) {
    if (ulps(y, exact) > error) error = ulps(y, exact), at = x;
  }
  void check(double bound) const {
    CAPTURE(at);
    CHECK(error <= bound);
  }
};

/// Calls f for a sample of all finite floats, both signs, dense in every binade.
template <class F>
void for_each_float(F f) {
  for (uint64_t bits = 0; bits < 0x7f800000u; bits += 499)
    for (const uint32_t sign : {0u, 0x80000000u}) f(math::from_bits(uint32_t(bits) | sign));
}

/// Values of f over `x` as a device computes them.
std::vector<double> on_device(Device device, const MapOp& op, const std::vector<float>& x) {
  return map(op, Tensor::from(x, {int64_t(x.size())}, device)).to_vector();
}

/// A NaN matches a NaN, everything else itself.
void check_same(const std::vector<double>& got, const std::vector<double>& expected) {
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    if (std::isnan(expected[i]))
      CHECK(std::isnan(got[i]));
    else
      CHECK(got[i] == expected[i]);
  }
}

}  // namespace

TEST_CASE("exp: within 2 ulp wherever the result is normal, 0 below, infinity above") {
  Worst worst;
  const auto one = [&](float x) {
    const double exact = std::exp(double(x));
    const float y = math::exp(x);
    if (exact < kSmallestNormal)
      REQUIRE(y <= kSmallestNormal);
    else if (exact > kLargest)
      REQUIRE(y == kInfinity);
    else
      worst.meet(x, y, exact);
  };
  for_each_float(one);
  for (int i = -90000; i <= 90000; ++i) one(float(i) * 1e-3f);
  for (float x = -87.34f; x < -87.33f; x = std::nextafter(x, 0.0f)) one(x);
  for (float x = 88.72f; x < 88.73f; x = std::nextafter(x, 100.0f)) one(x);
  worst.check(2);
}

TEST_CASE("log: within 2 ulp over all normal floats") {
  Worst worst;
  const auto one = [&](float x) {
    if (!(x >= kSmallestNormal) || x == 1) return;
    worst.meet(x, math::log(x), std::log(double(x)));
  };
  for_each_float(one);
  for (float x = 0.9999f; x < 1.0001f; x = std::nextafter(x, 2.0f)) one(x);
  for (int i = 1; i < 200000; ++i) one(float(i) * 1e-5f);
  worst.check(2);
  CHECK(math::log(1.0f) == 0);
}

TEST_CASE("tanh: within 2 ulp over all normal floats") {
  Worst worst;
  const auto one = [&](float x) {
    if (std::abs(x) >= kSmallestNormal) worst.meet(x, math::tanh(x), std::tanh(double(x)));
  };
  for_each_float(one);
  for (int i = -90000; i <= 90000; ++i) one(float(i) * 1e-4f);
  worst.check(2);
}

TEST_CASE("exp, log, tanh, sigmoid, relu: infinities, zeros and NaN, on every host device") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const double inf = kInfinity;
  // Repeated past a vector's width, so that both the vector loop and its remainder meet them.
  for (const int repeat : {1, 23}) {
    const auto many = [&](std::vector<double> v) {
      std::vector<double> all;
      for (int i = 0; i < repeat; ++i) all.insert(all.end(), v.begin(), v.end());
      return all;
    };
    std::vector<float> x;
    for (int i = 0; i < repeat; ++i)
      for (const float v : {nan, kInfinity, -kInfinity, 0.0f, 200.0f, -200.0f}) x.push_back(v);
    for (const Device device : {Device::reference, Device::cpu}) {
      CAPTURE(name(device));
      check_same(on_device(device, Exp{}, x), many({nan, inf, 0, 1, inf, 0}));
      check_same(on_device(device, Log{}, x), many({nan, inf, nan, -inf, double(math::log(200.0f)), nan}));
      check_same(on_device(device, Tanh{}, x), many({nan, 1, -1, 0, 1, -1}));
      check_same(on_device(device, Sigmoid{}, x), many({nan, 1, 0, 0.5, 1, 0}));
      check_same(on_device(device, Relu{}, x), many({nan, inf, 0, 0, 200, 0}));
    }
  }
}

TEST_CASE("log1p_unit: within 3 ulp on [0, 1], also where 1 + u rounds") {
  Worst worst;
  for (uint32_t bits = 0x00800000u; bits <= 0x3f800000u; bits += 251) {
    const float u = math::from_bits(bits);
    worst.meet(u, math::log1p_unit(u), std::log1p(double(u)));
  }
  worst.check(3);
  CHECK(math::log1p_unit(0.0f) == 0);
}

TEST_CASE("sigmoid: within 4 ulp while it is a normal number") {
  Worst worst;
  for (int i = -86000; i <= 86000; ++i) {
    const float x = float(i) * 1e-3f;
    worst.meet(x, math::sigmoid(x), 1 / (1 + std::exp(-double(x))));
  }
  worst.check(4);
}
