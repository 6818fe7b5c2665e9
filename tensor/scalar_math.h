/// exp, log, tanh and their kin as plain arithmetic, host and device, so that loops over them vectorise and every
/// device agrees. f32: exp, log and tanh within 2 ulp where argument and result are normal, ln(1 + u) within 3, sigmoid
/// within 4 (tests/tensor/scalar_math.cpp); f64: the C library's.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "tensor/host_device.h"

namespace tensor::math {

HD inline float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}
HD inline uint32_t to_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

HD inline double exp(double x) { return ::exp(x); }
HD inline double log(double x) { return ::log(x); }
HD inline double sqrt(double x) { return ::sqrt(x); }
HD inline float sqrt(float x) { return ::sqrtf(x); }

/// e^x = 2^n e^r with |r| <= ln(2)/2, the latter by a degree-6 polynomial. Below -87.3 the result is 0, above 88.7
/// infinity.
HD inline float exp(float x) {
  const float least = -87.33654f, most = 88.72283f;
  // In this order NaN becomes `least`, so that the conversion to an integer below is defined.
  const float clamped = x > least ? (x < most ? x : most) : least;
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
  const float n = (clamped * 1.44269504f + magic) - magic;
  float r = clamped - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  // 2^n in two factors, since n reaches 128.
  const int32_t half = int32_t(n) / 2, rest = int32_t(n) - half;
  const float y = p * from_bits(uint32_t(half + 127) << 23) * from_bits(uint32_t(rest + 127) << 23);
  const float low = x < least ? 0.0f : y;
  const float high = x > most ? from_bits(0x7f800000u) : low;
  return x != x ? x : high;
}

/// ln(x) = e ln(2) + ln(m) with m in [sqrt(1/2), sqrt(2)). ln(0) = -infinity; negative x give NaN; denormals count as
/// 0.
HD inline float log(float x) {
  const uint32_t bits = to_bits(x);
  const uint32_t shifted = bits - 0x3f3504f3u;  // bits of sqrt(1/2)
  const float e = float(int32_t(shifted) >> 23);
  const float m = from_bits((shifted & 0x007fffffu) + 0x3f3504f3u);
  const float f = m - 1.0f, z = f * f;
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  float y = f * z * p;
  y = y + e * -2.12194440e-4f;
  y = y - 0.5f * z;
  y = f + y;
  y = y + e * 0.693359375f;
  const float infinity = from_bits(0x7f800000u);
  y = x < 1.17549435e-38f ? -infinity : y;
  y = x < 0.0f ? from_bits(0x7fc00000u) : y;
  return x == infinity || x != x ? x : y;
}

/// ln(1 + u) for u in [0, 1], exact to 3 ulp where 1 + u rounds.
template <class T>
HD inline T log1p_unit(T u) {
  const T w = T(1) + u;
  return log(w) - ((w - T(1)) - u) / w;
}

HD inline double tanh(double x) { return ::tanh(x); }
/// x + x^3 P(x^2) where |x| < 0.625, else 1 - 2 / (e^2|x| + 1), with x's sign.  P: Cephes, tanhf.
HD inline float tanh(float x) {
  const float magnitude = x < 0.0f ? -x : x, z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const float large = 1.0f - 2.0f / (exp(magnitude + magnitude) + 1.0f);
  return magnitude < 0.625f ? x + x * (z * p) : x < 0.0f ? -large : large;
}

/// 1 / (1 + e^-x).
template <class T>
HD inline T sigmoid(T x) {
  return T(1) / (T(1) + exp(-x));
}

}  // namespace tensor::math
