/// exp and log in f32 against the C library in f64, over the whole range.
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
  double worst = 0;
  float at = 0;
  const auto one = [&](float x) {
    const double exact = std::exp(double(x));
    const float y = math::exp(x);
    if (exact < kSmallestNormal)
      REQUIRE(y <= kSmallestNormal);
    else if (exact > kLargest)
      REQUIRE(y == kInfinity);
    else if (ulps(y, exact) > worst) {
      worst = ulps(y, exact);
      at = x;
    }
  };
  for_each_float(one);
  for (int i = -90000; i <= 90000; ++i) one(float(i) * 1e-3f);
  for (float x = -87.34f; x < -87.33f; x = std::nextafter(x, 0.0f)) one(x);
  for (float x = 88.72f; x < 88.73f; x = std::nextafter(x, 100.0f)) one(x);
  CAPTURE(at);
  CHECK(worst <= 2);
}

TEST_CASE("log: within 2 ulp over all normal floats") {
  double worst = 0;
  float at = 0;
  const auto one = [&](float x) {
    if (!(x >= kSmallestNormal) || x == 1) return;
    const double error = ulps(math::log(x), std::log(double(x)));
    if (error > worst) {
      worst = error;
      at = x;
    }
  };
  for_each_float(one);
  for (float x = 0.9999f; x < 1.0001f; x = std::nextafter(x, 2.0f)) one(x);
  for (int i = 1; i < 200000; ++i) one(float(i) * 1e-5f);
  CAPTURE(at);
  CHECK(worst <= 2);
  CHECK(math::log(1.0f) == 0);
}

TEST_CASE("exp, log, sigmoid, relu: infinities, zeros and NaN, on every host device") {
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
      check_same(on_device(device, Sigmoid{}, x), many({nan, 1, 0, 0.5, 1, 0}));
      check_same(on_device(device, Relu{}, x), many({nan, inf, 0, 0, 200, 0}));
    }
  }
}

TEST_CASE("log1p_unit: within 3 ulp on [0, 1], also where 1 + u rounds") {
  double worst = 0;
  float at = 0;
  for (uint32_t bits = 0x00800000u; bits <= 0x3f800000u; bits += 251) {
    const float u = math::from_bits(bits);
    const double error = ulps(math::log1p_unit(u), std::log1p(double(u)));
    if (error > worst) {
      worst = error;
      at = u;
    }
  }
  CAPTURE(at);
  CHECK(worst <= 3);
  CHECK(math::log1p_unit(0.0f) == 0);
}

TEST_CASE("sigmoid: within 4 ulp while it is a normal number") {
  double worst = 0;
  for (int i = -86000; i <= 86000; ++i) {
    const float x = float(i) * 1e-3f;
    worst = std::max(worst, ulps(math::sigmoid(x), 1 / (1 + std::exp(-double(x)))));
  }
  CHECK(worst <= 4);
}
