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

/// A function in f32, the same in f64, and the range of its arguments in which it has at most so large an error.
struct Function {
  std::string name;
  float (*ours)(float);
  double (*exact)(double);
  float low, high;
  double ulps;
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

TEST_CASE("exp, log, tanh, sigmoid and ln(1 + u): few ulp where argument and result are normal") {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  for (const Function& f : {Function{"exp", math::exp, std::exp, -87.336f, 88.72f, 2},
                            {"exp, small results", math::exp, std::exp, -87.336f, -87.33f, 2},
                            {"exp, large results", math::exp, std::exp, 88.72f, 88.7228f, 2},
                            {"log", math::log, std::log, kSmallestNormal, kLargest, 2},
                            {"log of ordinary numbers", math::log, std::log, 1e-5f, 2, 2},
                            {"log about 1", math::log, std::log, 0.9999f, 1.0001f, 2},
                            {"tanh", math::tanh, std::tanh, -kLargest, kLargest, 2},
                            {"tanh where it rises", math::tanh, std::tanh, -9, 9, 2},
                            {"log1p_unit", math::log1p_unit, std::log1p, 0, 1, 3},
                            {"sigmoid", math::sigmoid, sigmoid, -86, 86, 4}}) {
    double worst = 0;
    float at = 0;
    const auto meet = [&](float x) {
      if (x < f.low || x > f.high || (x != 0 && std::abs(x) < kSmallestNormal)) return;
      const double error = ulps(f.ours(x), f.exact(x));
      if (error > worst || std::isnan(error)) worst = error, at = x;
    };
    for_each_float(meet);
    for (int i = 0; i <= 200000; ++i) meet(float(f.low + (double(f.high) - f.low) * i / 200000));
    CAPTURE(f.name);
    CAPTURE(at);
    CHECK(worst <= f.ulps);
  }
}

TEST_CASE("exp: next to nothing below its range, infinity above") {
  int64_t wrong = 0;
  for_each_float([&](float x) {
    wrong += (x < -87.34f && !(math::exp(x) <= kSmallestNormal)) || (x > 88.73f && math::exp(x) != kInfinity);
  });
  CHECK(wrong == 0);
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
