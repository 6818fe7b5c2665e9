/// The matrices of Winograd's short convolutions, applied to vectors of channels.
///
/// An R-tap filter over I = M + R - 1 inputs gives M outputs: evaluate both as polynomials at I points, multiply point
/// by point, interpolate. In two dimensions, with B', G, A' the lines below applied along both axes:
///   forward           y  = A' [ (G w G') * (B' x B) ] A        `weight`, `input`, `output`
///   input gradient    the same on dy, with the filter turned by 180 degrees and its channels exchanged
///   weight gradient   dw = G' [ sum over tiles (A dy A') * (B' x B) ] G        `output_grad` = A, `weight_grad` = G'
/// I x I products instead of M x M x R x R. The points are infinity, pairs +-p, and 0 when I is even, so that the lines
/// of a pair share their even and their odd half.
/// Source: Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2016.
#pragma once
#include <array>

#include "tensor/cpu/vector.h"

namespace tensor::cpu {

/// The pairs +-p of I points: of many tried those with the least error (F(4,3): half that of the usual 1 and 2).
template <int I>
constexpr std::array<double, (I - 1) / 2> kPointPairs;
template <>
inline constexpr std::array<double, 1> kPointPairs<4> = {1};
template <>
inline constexpr std::array<double, 2> kPointPairs<6> = {0.70710678118654752, 1.41421356237309505};
template <>
inline constexpr std::array<double, 3> kPointPairs<7> = {0.35, 0.8, 2};
template <>
inline constexpr std::array<double, 3> kPointPairs<8> = {0.5, 1, 2};

/// What the lines of I points are made of.
template <int I>
struct WinogradNumbers {
  static constexpr int kPairs = (I - 1) / 2, kZero = I % 2 == 0;
  float point[kPairs];
  float power[kPairs][I];         ///< p^i
  float scale[kPairs];            ///< 1 / product of (p - every other point), kept in G
  float scale_of_zero = 0;        ///< the same of point 0
  float without[kPairs][kPairs];  ///< product of (x^2 - q^2) over the other pairs: coefficients of x^2i
  float all[kPairs + 1];          ///< the same over all pairs

  constexpr WinogradNumbers() : point(), power(), scale(), without(), all() {
    const auto& p = kPointPairs<I>;
    const auto product = [&](int skip, float* coefficients) {
      double c[kPairs + 1] = {1};
      int degree = 0;
      for (int q = 0; q < kPairs; ++q) {
        if (q == skip) continue;
        ++degree;
        for (int i = degree; i >= 0; --i) c[i] = (i > 0 ? c[i - 1] : 0) - p[q] * p[q] * c[i];
      }
      for (int i = 0; i <= degree; ++i) coefficients[i] = float(c[i]);
      return c[0];
    };
    const double at_zero = product(-1, all);
    if (kZero) scale_of_zero = float(1 / at_zero);
    for (int a = 0; a < kPairs; ++a) {
      product(a, without[a]);
      double others = kZero ? 2 * p[a] * p[a] : 2 * p[a];
      for (int q = 0; q < kPairs; ++q)
        if (q != a) others *= p[a] * p[a] - p[q] * p[q];
      point[a] = float(p[a]);
      scale[a] = float(1 / others);
      double x = 1;
      for (int i = 0; i < I; ++i, x *= p[a]) power[a][i] = float(x);
    }
  }
};

/// F(M x M, R x R). Values of a line: point 0 if there is one, then each p and -p, infinity last.
template <int M, int R>
struct Winograd {
  static constexpr int kIn = M + R - 1;
  using Numbers = WinogradNumbers<kIn>;
  static constexpr Numbers k{};
  static constexpr int kPairs = Numbers::kPairs, kZero = Numbers::kZero;

  /// The polynomial with N coefficients g, at every point.
  template <int N, bool kScaled>
  static void evaluate(const Vec* g, Vec* o) {
    if constexpr (kZero) o[0] = kScaled ? k.scale_of_zero * g[0] : g[0];
    o[kIn - 1] = g[N - 1];
    UNROLL for (int a = 0; a < kPairs; ++a) {
      Vec even = g[0], odd = k.point[a] * g[1];
      UNROLL for (int i = 2; i < N; i += 2) even += k.power[a][i] * g[i];
      UNROLL for (int i = 3; i < N; i += 2) odd += k.power[a][i] * g[i];
      if (kScaled) even *= k.scale[a], odd *= k.scale[a];
      o[kZero + 2 * a] = even + odd;
      o[kZero + 2 * a + 1] = even - odd;
    }
  }
  /// The transpose of evaluate.
  template <int N, bool kScaled>
  static void combine(const Vec* m, Vec* o) {
    UNROLL for (int i = 0; i < N; ++i) o[i] = Vec{};
    if constexpr (kZero) o[0] = kScaled ? k.scale_of_zero * m[0] : m[0];
    UNROLL for (int a = 0; a < kPairs; ++a) {
      const Vec plus = m[kZero + 2 * a], minus = m[kZero + 2 * a + 1];
      Vec even = plus + minus, odd = plus - minus;
      if (kScaled) even *= k.scale[a], odd *= k.scale[a];
      UNROLL for (int i = 0; i < N; ++i) o[i] += k.power[a][i] * (i % 2 ? odd : even);
    }
    o[N - 1] += m[kIn - 1];
  }

  /// B': coefficients of the product of (x - every other point), times d.
  static constexpr auto input = [](const Vec* d, Vec* o) {
    Vec zero = d[2 * kPairs], infinity = d[2 * kPairs + kZero];
    UNROLL for (int i = 0; i < kPairs; ++i) {
      zero += k.all[i] * d[2 * i];
      infinity += k.all[i] * d[2 * i + kZero];
    }
    if constexpr (kZero) o[0] = zero;
    o[kIn - 1] = infinity;
    UNROLL for (int a = 0; a < kPairs; ++a) {
      Vec odd = d[2 * kPairs - 2 + kZero], even = d[2 * kPairs - 1 + kZero];
      UNROLL for (int i = 0; i < kPairs - 1; ++i) {
        odd += k.without[a][i] * d[2 * i + kZero];
        even += k.without[a][i] * d[2 * i + 1 + kZero];
      }
      // Without point 0 the scale of -p is that of p with the other sign, which is taken here.
      o[kZero + 2 * a] = even + k.point[a] * odd;
      o[kZero + 2 * a + 1] = kZero ? even - k.point[a] * odd : k.point[a] * odd - even;
    }
  };
  static constexpr auto weight = [](const Vec* g, Vec* o) { evaluate<R, true>(g, o); };
  static constexpr auto weight_grad = [](const Vec* m, Vec* o) { combine<R, true>(m, o); };
  static constexpr auto output = [](const Vec* m, Vec* o) { combine<M, false>(m, o); };
  static constexpr auto output_grad = [](const Vec* y, Vec* o) { evaluate<M, false>(y, o); };
};

/// Applies a line transform of I values into O along both axes of a square; get(i, j) reads, put(i, j, value) writes.
template <int I, int O, class Line, class Get, class Put>
[[gnu::always_inline]] inline void both_axes(Line line, Get get, Put put) {
  Vec half[O][I];
  UNROLL for (int j = 0; j < I; ++j) {
    Vec d[I], o[O];
    UNROLL for (int i = 0; i < I; ++i) d[i] = get(i, j);
    line(d, o);
    UNROLL for (int i = 0; i < O; ++i) half[i][j] = o[i];
  }
  UNROLL for (int i = 0; i < O; ++i) {
    Vec o[O];
    line(half[i], o);
    UNROLL for (int j = 0; j < O; ++j) put(i, j, o[j]);
  }
}

}  // namespace tensor::cpu
