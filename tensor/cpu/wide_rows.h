/// Tensors [..., C] read as wide rows: short rows of channels are joined until a row is long enough to compute on in
/// vectors.
///
/// Element i belongs to lane i mod width, and width is a multiple of C, so lane l holds channel l mod C. Chunks of rows
/// are the unit of parallel work and of summation; their borders depend on the shape alone.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "tensor/cpu/parallel.h"
#include "tensor/tensor.h"

namespace tensor::cpu {

struct WideRows {
  static constexpr int64_t kLeastWidth = 256, kBlockRows = 64, kChunkElements = 1 << 16;
  int64_t channels, elements, width, rows, rows_in_chunk;

  WideRows(int64_t elements_, int64_t channels_)
      : channels(channels_),
        elements(elements_),
        width((kLeastWidth + channels - 1) / channels * channels),
        rows((elements + width - 1) / width),
        rows_in_chunk(kBlockRows * std::max<int64_t>(1, kChunkElements / (kBlockRows * width))) {}
  explicit WideRows(const Tensor& x) : WideRows(x.size(), std::max<int64_t>(1, x.shape()[-1])) {}

  /// WideRows that row `row` fills: width, less in the last row.
  int64_t length(int64_t row) const { return std::min(width, elements - row * width); }
  int64_t chunks() const { return (rows + rows_in_chunk - 1) / rows_in_chunk; }
  /// per_channel[C] repeated over the lanes.
  std::vector<float> repeat(const float* per_channel) const {
    std::vector<float> lanes(width);
    for (int64_t l = 0; l < width; l += channels) std::copy_n(per_channel, channels, &lanes[l]);
    return lanes;
  }
};

/// Calls f(row, length) for every wide row, chunks in parallel.
template <class F>
void for_each_row(const WideRows& z, F f) {
  parallel_for(z.rows, std::max<int64_t>(1, WideRows::kChunkElements / 2 / z.width), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) f(row, z.length(row));
  });
}

/// kSums sums per channel over all rows: out[s][c], in f64, in an order that the shape alone fixes.
/// block(begin, end, scratch, sums) adds rows [begin, end), at most kBlockRows of them, to sums[s * width + lane]; it
/// may sum in f32 within the block, in `scratch` (kScratch * width floats).
template <int kSums, int kScratch, class Block>
std::vector<double> column_sums(const WideRows& z, Block block) {
  const int64_t stride = kSums * z.width;
  std::vector<double> partial(z.chunks() * stride);
  parallel_for(z.chunks(), 1, [&](int64_t first, int64_t last) {
    std::vector<float> scratch(kScratch * z.width);
    for (int64_t chunk = first; chunk < last; ++chunk) {
      const int64_t end = std::min(z.rows, (chunk + 1) * z.rows_in_chunk);
      for (int64_t row = chunk * z.rows_in_chunk; row < end; row += WideRows::kBlockRows)
        block(row, std::min(end, row + WideRows::kBlockRows), scratch.data(), &partial[chunk * stride]);
    }
  });
  for (int64_t chunk = 1; chunk < z.chunks(); ++chunk)
    for (int64_t i = 0; i < stride; ++i) partial[i] += partial[chunk * stride + i];
  std::vector<double> sums(kSums * z.channels);
  if (z.chunks() == 0) return sums;
  for (int s = 0; s < kSums; ++s)
    for (int64_t l = 0; l < z.width; l += z.channels)
      for (int64_t c = 0; c < z.channels; ++c) sums[s * z.channels + c] += partial[s * z.width + l + c];
  return sums;
}

/// Calls f(rows, at, length) over rows [begin, end) of z, four at a time where they are whole, else one at a time:
/// `rows` is their number as a constant, `at` the first element, `length` the lanes that they fill.
template <class F>
void for_block(const WideRows& z, int64_t begin, int64_t end, F f) {
  const int64_t whole = z.length(end - 1) == z.width ? end : end - 1;
  for (; begin + 4 <= whole; begin += 4) f(std::integral_constant<int, 4>{}, begin * z.width, z.width);
  for (; begin < end; ++begin) f(std::integral_constant<int, 1>{}, begin * z.width, z.length(begin));
}

/// sum[l] += x[l] over kRows rows.
template <int kRows>
void add_rows(const float* __restrict x, int64_t width, int64_t length, float* __restrict sum) {
  for (int64_t l = 0; l < length; ++l) {
    float s = x[l];
    for (int r = 1; r < kRows; ++r) s += x[r * width + l];
    sum[l] += s;
  }
}

}  // namespace tensor::cpu
