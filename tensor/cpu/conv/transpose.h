/// Transposes small squares of floats in registers, and sums their rows.
#pragma once
#include <cstdint>
#include <utility>

#include "tensor/cpu/vector.h"

namespace tensor::cpu {

/// Lanes of a and b in turn, from the first (kHigh = 0) or the second (1) half of each.
template <int kHigh, int... kLane>
[[gnu::always_inline]] inline Vec interleave(Vec a, Vec b, std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(a, b, (kHigh * kLanes / 2 + kLane / 2 + kLane % 2 * kLanes)...);
}

/// to[j * to_row + i] = from[i * from_row + j], i, j < kLanes. Interleaving the halves log2(kLanes) times is a
/// transpose.
inline void transpose_square(const float* from, int64_t from_row, float* to, int64_t to_row) {
  constexpr auto lanes = std::make_integer_sequence<int, kLanes>{};
  Vec rows[kLanes];
  UNROLL for (int i = 0; i < kLanes; ++i) rows[i] = load(from + i * from_row);
  UNROLL for (int step = 1; step < kLanes; step *= 2) {
    Vec next[kLanes];
    UNROLL for (int i = 0; i < kLanes / 2; ++i) {
      next[2 * i] = interleave<0>(rows[i], rows[i + kLanes / 2], lanes);
      next[2 * i + 1] = interleave<1>(rows[i], rows[i + kLanes / 2], lanes);
    }
    UNROLL for (int i = 0; i < kLanes; ++i) rows[i] = next[i];
  }
  UNROLL for (int i = 0; i < kLanes; ++i) store(to + i * to_row, rows[i]);
}

/// Lane i = sum of the lanes of rows[i].
inline Vec sum_of_each(const Vec* rows) {
  constexpr auto lanes = std::make_integer_sequence<int, kLanes>{};
  Vec sums[kLanes];
  UNROLL for (int i = 0; i < kLanes; ++i) sums[i] = rows[i];
  UNROLL for (int half = kLanes / 2; half > 0; half /= 2) UNROLL for (int i = 0; i < half; ++i) sums[i] =
      interleave<0>(sums[i], sums[i + half], lanes) + interleave<1>(sums[i], sums[i + half], lanes);
  return sums[0];
}

}  // namespace tensor::cpu
