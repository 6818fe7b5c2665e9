/// Transforms filters into Winograd's domain.
#pragma once
#include <cstdint>

#include "tensor/cpu/conv/transpose.h"
#include "tensor/cpu/conv/winograd_transform.h"

namespace tensor::cpu {

/// Square filters of `extent` taps a side, c to k channels. w: [k][extent][extent][c]; turned: w is
/// [c][extent][extent][k], read backwards (the input gradient).
struct FilterBank {
  const float* w;
  int64_t extent, c, k;
  bool turned;
  /// First of the taps (row, column); null outside the filter, where taps are zero.
  const float* tap(int64_t row, int64_t column) const {
    if (row >= extent || column >= extent) return nullptr;
    const int64_t at = row * extent + column;
    return w + (turned ? (extent * extent - 1 - at) * k : at * c);
  }
};

/// u[f][c0 .. c1][width] of outputs k0 .. k0 + width, `plane` floats between values of f, rows counted from c0, of the
/// R x R taps from (row, column) on. c0, c1, k0 and width are whole vectors.
template <int M, int R>
void transform_weight(const FilterBank& filters, int64_t row, int64_t column, int64_t k0, int64_t width, int64_t c0,
                      int64_t c1, float* u, int64_t plane) {
  constexpr int I = Winograd<M, R>::kIn;
  const int64_t c = filters.c, k = filters.k, step = filters.extent * filters.extent;
  const float* first[R * R];
  for (int f = 0; f < R * R; ++f) first[f] = filters.tap(row + f / R, column + f % R);
  alignas(64) float taps[R * R][kLanes][kLanes];  // [tap][c][k]: the weight has c innermost, the product wants k
  for (int64_t v = 0; v < width; v += kLanes)
    for (int64_t e = c0; e < c1; e += kLanes) {
      for (int f = 0; f < R * R && !filters.turned; ++f)
        if (first[f]) transpose_square(first[f] + (k0 + v) * step * c + e, step * c, taps[f][0], kLanes);
      for (int i = 0; i < kLanes; ++i) {
        float* to = u + (e - c0 + i) * width + v;
        both_axes<R, I>(
            Winograd<M, R>::weight,
            [&](int r, int s) {
              const float* tap = first[r * R + s];
              if (!tap) return Vec{};
              return load(filters.turned ? tap + (e + i) * step * k + k0 + v : taps[r * R + s][i]);
            },
            [&](int a, int b, Vec y) { store(to + (a * I + b) * plane, y); });
      }
    }
}

}  // namespace tensor::cpu
