/// Floating-point arithmetic and comparison, and conversions between all types.
///
/// Built without contraction: an fma is one where PTX says so. Subnormals are kept (.ftz is not asked for by this
/// build).
#include <cmath>

#include "tests/ptx/operation.h"

namespace ptx {
namespace {

/// "Floating Point Instructions: min, max": the other operand where one is NaN; -0 is below +0.
template <class T>
T least(T a, T b) {
  if (a != a) return b;
  if (b != b) return a;
  if (a == b) return std::signbit(a) ? a : b;
  return b < a ? b : a;
}
template <class T>
T most(T a, T b) {
  if (a != a) return b;
  if (b != b) return a;
  if (a == b) return std::signbit(a) ? b : a;
  return a < b ? b : a;
}

/// "Floating Point Instructions", "Comparison and Selection: setp": those that end in u are true where one is NaN.
template <class T>
void add_floats(Table& t, const std::string& type) {
  for (const char* rounding : {"", ".rn"}) {
    const std::string tail = std::string(rounding) + "." + type;
    t["add" + tail] = lanes<[](T a, T b) { return a + b; }>();
    t["sub" + tail] = lanes<[](T a, T b) { return a - b; }>();
    t["mul" + tail] = lanes<[](T a, T b) { return a * b; }>();
    t["fma" + tail] = lanes<[](T a, T b, T c) { return std::fma(a, b, c); }>();
    t["div" + tail] = lanes<[](T a, T b) { return a / b; }>();
    t["rcp" + tail] = lanes<[](T a) { return T(1) / a; }>();
    t["sqrt" + tail] = lanes<[](T a) { return std::sqrt(a); }>();
  }
  t["neg." + type] = lanes<[](T a) { return -a; }>();
  t["abs." + type] = lanes<[](T a) { return std::fabs(a); }>();
  t["min." + type] = lanes<[](T a, T b) { return least(a, b); }>();
  t["max." + type] = lanes<[](T a, T b) { return most(a, b); }>();
  t["setp.eq." + type] = lanes<[](T a, T b) { return a == b; }>();
  t["setp.ne." + type] = lanes<[](T a, T b) { return (a < b || a > b); }>();
  t["setp.lt." + type] = lanes<[](T a, T b) { return a < b; }>();
  t["setp.le." + type] = lanes<[](T a, T b) { return a <= b; }>();
  t["setp.gt." + type] = lanes<[](T a, T b) { return (a > b); }>();
  t["setp.ge." + type] = lanes<[](T a, T b) { return a >= b; }>();
  t["setp.equ." + type] = lanes<[](T a, T b) { return !(a < b || a > b); }>();
  t["setp.neu." + type] = lanes<[](T a, T b) { return a != b; }>();
  t["setp.ltu." + type] = lanes<[](T a, T b) { return !(a >= b); }>();
  t["setp.leu." + type] = lanes<[](T a, T b) { return !(a > b); }>();
  t["setp.gtu." + type] = lanes<[](T a, T b) { return !(a <= b); }>();
  t["setp.geu." + type] = lanes<[](T a, T b) { return !(a < b); }>();
  t["setp.num." + type] = lanes<[](T a, T b) { return a == a && b == b; }>();
  t["setp.nan." + type] = lanes<[](T a, T b) { return a != a || b != b; }>();
}

/// "cvt" from floats to integers: clamped; NaN becomes 0, or the highest bit alone where either has 64 bits.
template <class To, class From>
To to_integer(From x) {
  if (x != x) return To(sizeof(From) == 8 || sizeof(To) == 8 ? To(1) << (8 * sizeof(To) - 1) : 0);
  constexpr From low = From(std::numeric_limits<To>::min());
  const From beyond = std::ldexp(From(1), std::numeric_limits<To>::digits);
  if (x < low) return std::numeric_limits<To>::min();
  if (x >= beyond) return std::numeric_limits<To>::max();
  return To(x);
}

template <class To, class From>
void add_conversion(Table& t, const std::string& to, const std::string& from) {
  const std::string types = "." + to + "." + from;
  if constexpr (std::is_integral_v<To> && std::is_integral_v<From>) {
    t["cvt" + types] = lanes<[](From x) { return To(x); }>();
  } else if constexpr (std::is_integral_v<To>) {
    t["cvt.rzi" + types] = lanes<[](From x) { return to_integer<To>(x); }>();
    t["cvt.rni" + types] = lanes<[](From x) { return to_integer<To>(std::nearbyint(x)); }>();
    t["cvt.rmi" + types] = lanes<[](From x) { return to_integer<To>(std::floor(x)); }>();
    t["cvt.rpi" + types] = lanes<[](From x) { return to_integer<To>(std::ceil(x)); }>();
  } else if constexpr (std::is_same_v<To, From>) {
    t["cvt.rmi" + types] = lanes<[](From x) { return std::floor(x); }>();
    t["cvt.rpi" + types] = lanes<[](From x) { return std::ceil(x); }>();
    t["cvt.rzi" + types] = lanes<[](From x) { return std::trunc(x); }>();
    t["cvt.rni" + types] = lanes<[](From x) { return std::nearbyint(x); }>();
  } else {
    // Widening needs no rounding mode.
    t[(sizeof(To) > sizeof(From) && std::is_floating_point_v<From> ? "cvt" : "cvt.rn") + types] =
        lanes<[](From x) { return To(x); }>();
  }
}
template <class From>
void add_conversions_from(Table& t, const std::string& from) {
  add_conversion<uint8_t, From>(t, "u8", from);
  add_conversion<int8_t, From>(t, "s8", from);
  add_conversion<uint16_t, From>(t, "u16", from);
  add_conversion<int16_t, From>(t, "s16", from);
  add_conversion<uint32_t, From>(t, "u32", from);
  add_conversion<int32_t, From>(t, "s32", from);
  add_conversion<uint64_t, From>(t, "u64", from);
  add_conversion<int64_t, From>(t, "s64", from);
  add_conversion<float, From>(t, "f32", from);
  add_conversion<double, From>(t, "f64", from);
}

uint16_t to_bf16(float x) {
  const uint32_t u = std::bit_cast<uint32_t>(x);
  if (x != x) return 0x7fff;
  return uint16_t((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
/// To nearest, ties away from zero, 10 bits of mantissa. The bits below are left, as "cvt" allows.
uint32_t to_tf32(float x) {
  const uint32_t u = std::bit_cast<uint32_t>(x);
  if (x != x) return 0x7fffffff;
  if ((u & 0x7f800000u) == 0x7f800000u) return u;
  return (u + 0x1000u) & ~0x1fffu;
}
/// "rcp.approx.ftz.f64": 32 bits of the result, subnormals taken for 0.
double coarse_reciprocal(double x) {
  if (std::fpclassify(x) == FP_SUBNORMAL) x = std::copysign(0.0, x);
  const double r = 1 / x;
  if (r != r) return r;
  if (std::fpclassify(r) == FP_SUBNORMAL) return std::copysign(0.0, r);
  return std::bit_cast<double>(std::bit_cast<uint64_t>(r) & ~uint64_t(0xffffffffu));
}

}  // namespace

void add_floating_point(Table& t) {
  add_floats<float>(t, "f32");
  add_floats<double>(t, "f64");
  t["rcp.approx.ftz.f64"] = lanes<[](double x) { return coarse_reciprocal(x); }>();
}

void add_conversions(Table& t) {
  add_conversions_from<uint8_t>(t, "u8");
  add_conversions_from<int8_t>(t, "s8");
  add_conversions_from<uint16_t>(t, "u16");
  add_conversions_from<int16_t>(t, "s16");
  add_conversions_from<uint32_t>(t, "u32");
  add_conversions_from<int32_t>(t, "s32");
  add_conversions_from<uint64_t>(t, "u64");
  add_conversions_from<int64_t>(t, "s64");
  add_conversions_from<float>(t, "f32");
  add_conversions_from<double>(t, "f64");
  t["cvt.rn.bf16.f32"] = lanes<[](float x) { return to_bf16(x); }>();
  t["cvt.f32.bf16"] = lanes<[](uint16_t x) { return std::bit_cast<float>(uint32_t(x) << 16); }>();
  t["cvt.rn.bf16x2.f32"] = lanes<[](float high, float low) { return uint32_t(to_bf16(high)) << 16 | to_bf16(low); }>();
  t["cvt.rna.tf32.f32"] = lanes<[](float x) { return to_tf32(x); }>();
  // "cvta": addresses of global memory are generic ones already; those of the other spaces lie in windows (memory.h).
  t["cvta.to.global.u64"] = t["cvta.global.u64"] = lanes<[](uint64_t a) { return a; }>();
  constexpr auto in_window = [](uint64_t a) { return a & ((uint64_t(1) << 56) - 1); };
  t["cvta.to.shared.u64"] = t["cvta.to.local.u64"] = lanes<in_window>();
  t["cvta.shared.u64"] = lanes<[](uint64_t a) { return a | uint64_t(1) << 56; }>();
  t["cvta.local.u64"] = lanes<[](uint64_t a) { return a | uint64_t(2) << 56; }>();
}

}  // namespace ptx
