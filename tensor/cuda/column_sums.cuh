/// Sums over all but the last axis, in f64 and in an order that the shape alone fixes: no atomics.
#pragma once
#include "tensor/cuda/launch.h"

namespace tensor::cuda {

/// The tensor read as rows of `width` lanes, a multiple of the channels that fills warps; slices of rows are summed by
/// blocks of their own.
struct Columns {
  static constexpr int kLanes = 32, kRows = 8;
  int64_t n, channels, width, rows, slices, rows_per_slice;
  Columns(int64_t n_, int64_t channels_)
      : n(n_),
        channels(channels_),
        width(channels >= kLanes ? channels : (kLanes + channels - 1) / channels * channels),
        rows((n + width - 1) / width),
        slices(rows < 64         ? 1
               : rows / 64 > 512 ? 512
                                 : rows / 64),
        rows_per_slice((rows + slices - 1) / slices) {}
  int64_t partial_sums() const { return slices * width; }
};

template <int kSums>
struct Sums {
  double of[kSums];
};

/// partial[s][slice][lane] = sum over the slice's rows of term(element, channel).of[s].
template <int kSums, class Term>
__global__ void __launch_bounds__(Columns::kLanes* Columns::kRows, 3)  // 80 registers: with fewer, f64 spills

    partial_sums_kernel(Columns z, Term term, double* partial) {
  __shared__ double sums[kSums][Columns::kRows][Columns::kLanes];
  // Lanes and partial sums are few: 32-bit divisions, since the 64-bit one is a function that costs registers.
  const int64_t lane = int64_t(blockIdx.x) * Columns::kLanes + threadIdx.x, slice = blockIdx.y;
  const int64_t begin = slice * z.rows_per_slice, beyond = begin + z.rows_per_slice;
  const int64_t end = beyond < z.rows ? beyond : z.rows;
  double mine[kSums] = {};
  if (lane < z.width) {
    const int64_t channel = uint32_t(lane) % uint32_t(z.channels);
    for (int64_t row = begin + threadIdx.y; row < end; row += Columns::kRows)
      if (const int64_t i = row * z.width + lane; i < z.n) {
        const Sums<kSums> t = term(i, channel);
        for (int s = 0; s < kSums; ++s) mine[s] += t.of[s];
      }
  }
  for (int s = 0; s < kSums; ++s) sums[s][threadIdx.y][threadIdx.x] = mine[s];
  __syncthreads();
  if (threadIdx.y == 0 && lane < z.width)
    for (int s = 0; s < kSums; ++s) {
      double total = 0;
      for (int row = 0; row < Columns::kRows; ++row) total += sums[s][row][threadIdx.x];
      partial[(s * z.slices + slice) * z.width + lane] = total;
    }
}

/// One block a channel: finish(channel, totals) with the sums over slices and lanes.
template <int kSums, class Finish>
__global__ void __launch_bounds__(128) finish_sums_kernel(Columns z, const double* partial, Finish finish) {
  __shared__ double sums[kSums][128];
  const int64_t channel = blockIdx.x, folds = z.width / z.channels, count = z.slices * folds;
  double mine[kSums] = {};
  for (int64_t j = threadIdx.x; j < count; j += 128) {
    const uint32_t slice = uint32_t(j) / uint32_t(folds);
    const int64_t lane = (j - slice * folds) * z.channels + channel;
    for (int s = 0; s < kSums; ++s) mine[s] += partial[(s * z.slices + slice) * z.width + lane];
  }
  for (int s = 0; s < kSums; ++s) sums[s][threadIdx.x] = mine[s];
  for (unsigned half = 64; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half)
      for (int s = 0; s < kSums; ++s) sums[s][threadIdx.x] += sums[s][threadIdx.x + half];
  }
  if (threadIdx.x == 0) {
    Sums<kSums> totals;
    for (int s = 0; s < kSums; ++s) totals.of[s] = sums[s][0];
    finish(channel, totals);
  }
}

template <int kSums, class Term, class Finish>
void column_sums(const char* name, const Columns& z, Term term, double* workspace, Finish finish) {
  const dim3 grid(unsigned((z.width + Columns::kLanes - 1) / Columns::kLanes), unsigned(z.slices));
  launch(name, &partial_sums_kernel<kSums, Term>, grid, dim3(Columns::kLanes, Columns::kRows), z, term, workspace);
  launch(name, &finish_sums_kernel<kSums, Finish>, dim3(unsigned(z.channels)), dim3(128), z,
         static_cast<const double*>(workspace), finish);
}

}  // namespace tensor::cuda
