/// Sums over all but the last axis, in f64 and in an order that the shape alone fixes: no atomics.
#pragma once
#include "tensor/cuda/pack.h"
#include "tensor/cuda/tensors.h"

namespace tensor::cuda {

/// How many channels of T a thread adds up: f32 fills a warp's transactions one by one.
template <class T>
int columns_at_once(int64_t channels) {
  return std::is_same_v<T, BFloat16> && channels % kChannelPack == 0 ? kChannelPack : 1;
}

/// The tensor read as rows of `width` lanes of `pack` channels each, a multiple of the channels that fills warps;
/// slices of rows are summed by blocks of their own.
struct Columns {
  static constexpr int kLanes = 32, kRows = 8;
  int64_t n, channels, pack, width, rows, slices, rows_per_slice;
  Columns(int64_t n_, int64_t channels_, int64_t pack_)
      : n(n_), channels(channels_), pack(pack_), width(lanes(channels_ / pack_)) {
    rows = (n / pack + width - 1) / width;
    slices = rows < 64 ? 1 : rows / 64 > 512 ? 512 : rows / 64;
    rows_per_slice = (rows + slices - 1) / slices;
  }
  int64_t partial_sums() const { return slices * width * pack; }

 private:
  static int64_t lanes(int64_t packs) { return packs >= kLanes ? packs : (kLanes + packs - 1) / packs * packs; }
};

/// of[s][e]: of element e of a pack.
template <int kSums, int N>
struct Sums {
  double of[kSums][N];
};

/// partial[s][slice][lane][e] = sum over the slice's rows of term.of<N>(channel).at(first element).of[s][e]: what `of`
/// reads of a thread's channels it reads once.
template <int kSums, int N, class Term>
__global__ void __launch_bounds__(Columns::kLanes* Columns::kRows, 3)  // 80 registers: with fewer, f64 spills

    partial_sums_kernel(Columns z, Term term, double* partial) {
  __shared__ double sums[kSums][N][Columns::kRows][Columns::kLanes];
  // Lanes and partial sums are few: 32-bit divisions, since the 64-bit one is a function that costs registers.
  const int64_t lane = int64_t(blockIdx.x) * Columns::kLanes + threadIdx.x, slice = blockIdx.y;
  const int64_t begin = slice * z.rows_per_slice, beyond = begin + z.rows_per_slice;
  const int64_t end = beyond < z.rows ? beyond : z.rows;
  double mine[kSums][N] = {};
  if (lane < z.width) {
    const auto mine_of = term.template of<N>(uint32_t(lane) % (uint32_t(z.channels) / N) * N);
    for (int64_t row = begin + threadIdx.y; row < end; row += Columns::kRows)
      if (const int64_t i = (row * z.width + lane) * N; i < z.n) {
        const Sums<kSums, N> t = mine_of.at(i);
        for (int s = 0; s < kSums; ++s)
          for (int e = 0; e < N; ++e) mine[s][e] += t.of[s][e];
      }
  }
  for (int s = 0; s < kSums; ++s)
    for (int e = 0; e < N; ++e) sums[s][e][threadIdx.y][threadIdx.x] = mine[s][e];
  __syncthreads();
  if (threadIdx.y == 0 && lane < z.width)
    for (int s = 0; s < kSums; ++s)
      for (int e = 0; e < N; ++e) {
        double total = 0;
        for (int row = 0; row < Columns::kRows; ++row) total += sums[s][e][row][threadIdx.x];
        partial[((s * z.slices + slice) * z.width + lane) * N + e] = total;
      }
}

/// One block a channel: finish(channel, totals) with the sums of partial[s][slices][width] over slices and over the
/// channel's elements of the width, which is a multiple of the channels.
template <int kSums, class Finish>
__global__ void __launch_bounds__(128)
    finish_sums_kernel(int64_t slices, int64_t width, int64_t channels, const double* partial, Finish finish) {
  __shared__ double sums[kSums][128];
  const int64_t channel = blockIdx.x, folds = width / channels, count = slices * folds;
  double mine[kSums] = {};
  for (int64_t j = threadIdx.x; j < count; j += 128) {
    const uint32_t slice = uint32_t(j) / uint32_t(folds);
    const int64_t lane = (j - slice * folds) * channels + channel;
    for (int s = 0; s < kSums; ++s) mine[s] += partial[(s * slices + slice) * width + lane];
  }
  for (int s = 0; s < kSums; ++s) sums[s][threadIdx.x] = mine[s];
  for (unsigned half = 64; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half)
      for (int s = 0; s < kSums; ++s) sums[s][threadIdx.x] += sums[s][threadIdx.x + half];
  }
  if (threadIdx.x == 0) {
    Sums<kSums, 1> totals;
    for (int s = 0; s < kSums; ++s) totals.of[s][0] = sums[s][0];
    finish(channel, totals);
  }
}

/// `term` reads numbers kept as T.
template <class T, int kSums, class Term, class Finish>
void column_sums(const char* name, int64_t n, int64_t channels, Term term, Finish finish) {
  const Columns z(n, channels, columns_at_once<T>(channels));
  const Tensor memory = workspace(kSums * z.partial_sums(), DType::f64);
  double* const partial = memory.data<double>();
  const dim3 grid(unsigned((z.width + Columns::kLanes - 1) / Columns::kLanes), unsigned(z.slices));
  const dim3 block(Columns::kLanes, Columns::kRows);
  if constexpr (std::is_same_v<T, BFloat16>)
    if (z.pack > 1) launch(name, &partial_sums_kernel<kSums, kChannelPack, Term>, grid, block, z, term, partial);
  if (z.pack == 1) launch(name, &partial_sums_kernel<kSums, 1, Term>, grid, block, z, term, partial);
  launch(name, &finish_sums_kernel<kSums, Finish>, dim3(unsigned(channels)), dim3(128), z.slices, z.width * z.pack,
         channels, static_cast<const double*>(partial), finish);
}

}  // namespace tensor::cuda
