/// What the products on tensor cores share: a block's shape, a warp's operands, and where results go.
#pragma once
#include "tensor/cuda/mma.h"
#include "tensor/cuda/pack.h"
#include "tensor/cuda/product_plan.h"
#include "tensor/cuda/tile_readers.cuh"

namespace tensor::cuda {

/// A block's threads: a warp makes 64 x 32 of its result, or less of a small one.
template <int kM, int kN>
constexpr int kBlock = kM* kN == 256 * 128 ? 512 : 256;
/// Blocks on a multiprocessor, by the registers that they may then use.
template <int kM, int kN>
[[maybe_unused]] constexpr int kResident = kM* kN == 256 * 128   ? 1
                                           : kM* kN == 128 * 128 ? 2
                                                                 : 3;

/// One step's operands of 16 free indices, from `free` and `k` of the tile on, both multiples of 8. An A's as mma.h
/// says; of two Bs each's two registers follow one another, since a tensor core takes them from neighbours: otherwise
/// every step would move them there.
enum class Operand { a, two_b };
template <Operand kWhich>
__device__ __forceinline__ int free_half(int e) {
  return kWhich == Operand::a ? e % 2 : e / 2;
}
template <Operand kWhich, class View, int kRows>
__device__ __forceinline__ void operands(const float* tile, int free, int k, uint32_t (&r)[4]) {
  constexpr int kStride = kTileStride<View, kRows>;
  const int lane = int(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
#pragma unroll
  for (int e = 0; e < 4; ++e) {
    const int half = free_half<kWhich>(e), f = free + g + 8 * half, d = k + 4 * (kWhich == Operand::a ? e / 2 : e % 2);
    r[e] = to_tf32(tile[View::kAlongK ? f * kStride + 4 * swizzled(g, d / 4) + t : (d + t) * kStride + f]);
  }
}
template <Operand kWhich, class View, int kRows>
__device__ __forceinline__ void operands(const BFloat16* tile, int free, int k, uint32_t (&r)[4]) {
  constexpr int kStride = kTileStride<View, kRows>;
  const int lane = int(threadIdx.x) % 32, row = lane % 8, matrix = lane / 8;
  const int half = free_half<kWhich>(matrix), k_half = kWhich == Operand::a ? matrix / 2 : matrix % 2;
  if constexpr (View::kAlongK)
    load_matrices<false>(r, tile + (free + row + 8 * half) * kStride + 8 * swizzled(row, k / 8 + k_half));
  else
    load_matrices<true>(r, tile + (k + row + 8 * k_half) * kStride + free + 8 * half);
}

/// Element row(m) + column(n) of the result: the product itself or its transpose.
struct Steps {
  int64_t of_row, of_column;
  __device__ int64_t row(int m) const { return m * of_row; }
  __device__ int64_t column(int n) const { return n * of_column; }
};
/// Where a block's sums go: to y with bias and ReLU, or to the same places in its slice of `partial` for sum_slices.
/// y's last axis has `channels` elements, each with its bias; y has `size`.
template <class Y, class Place>
struct Store {
  using Element = Y;
  const float* bias;
  bool relu;
  Y* y;
  float* partial;
  Place place;
  int64_t channels, size;

  __device__ float finished(float v, float b) const {
    if (bias) v += b;
    return relu && v < 0 ? 0 : v;
  }
  __device__ float bias_at(int64_t at) const { return bias ? bias[split(at, channels).remainder] : 0; }

  /// An even column and the next, if there is one: channels may be odd in number.
  struct Two {
    int64_t at, next_at;
    float bias, next_bias;
    bool both, neighbours;  // neighbours: an even place and the next
  };
  __device__ Two columns(int n, int beyond) const {
    const bool both = n + 1 < beyond;
    const int64_t at = place.column(n), next_at = both ? place.column(n + 1) : at;
    return {at, next_at, bias_at(at), bias_at(next_at), both, channels % 2 == 0};
  }
  __device__ void put(int slice, int64_t row, const Two& two, float v, float next) const {
    if (partial) {
      float* const to = partial + slice * size + row;
      to[two.at] = v;
      if (two.both) to[two.next_at] = next;
      return;
    }
    v = finished(v, two.bias), next = finished(next, two.next_bias);
    if constexpr (std::is_same_v<Y, BFloat16>)
      if (two.neighbours) return store(y + row + two.at, Pack<Y, 2>{Y(v), Y(next)});
    y[row + two.at] = Y(v);
    if (two.both) y[row + two.next_at] = Y(next);
  }
};

/// A row that the result does not have.
constexpr int64_t kNowhere = -1;

/// A warp's part of its block's kM x kN results: kRows x 32 of them, from row m and column n of the block on.
template <int kM, int kN>
struct WarpTile {
  static constexpr int kAcross = kN / 32, kRows = kM / (kBlock<kM, kN> / 32 / kAcross);
  __device__ static int m() { return int(threadIdx.x) / 32 / kAcross * kRows; }
  __device__ static int n() { return int(threadIdx.x) / 32 % kAcross * 32; }
  float sums[kRows / 16][4][4] = {};

  /// One step along k. `load_a(row, r)` loads the operand of 16 rows from the warp's `row` on; B's tile is `right`.
  template <class B, class LoadA>
  __device__ __forceinline__ void add(const typename B::Element* right, int k, const LoadA& load_a) {
    uint32_t a[kRows / 16][4], b[4][2];
#pragma unroll
    for (int i = 0; i < kRows / 16; ++i) load_a(16 * i, a[i]);
#pragma unroll
    for (int j = 0; j < 4; j += 2) {
      uint32_t two[4];
      operands<Operand::two_b, B, kN>(right, n() + 8 * j, k, two);
#pragma unroll
      for (int e = 0; e < 4; ++e) b[j + e / 2][e % 2] = two[e];
    }
#pragma unroll
    for (int i = 0; i < kRows / 16; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j) mma<typename B::Element>(sums[i][j], a[i], b[j]);
  }

  /// As `store` of bf16 whose channels come in eights: a lane gathers eight columns of a row from its quad.
  template <class To, class PlaceOf>
  __device__ __forceinline__ void store_eights(const To& to, int first_n, int columns, const PlaceOf& place_of) const {
    const int t = int(threadIdx.x) % 4, g = int(threadIdx.x) % 32 / 4;
    float bias[4][2] = {};
    if (to.bias)
#pragma unroll
      for (int j = 0; j < 4; ++j)
        if (const int column = first_n + n() + 8 * j + 2 * t; column < columns)
          bias[j][0] = to.bias_at(to.place.column(column)), bias[j][1] = to.bias_at(to.place.column(column + 1));
    const int first = first_n + n() + 8 * t;
    const int64_t at = first < columns ? to.place.column(first) : 0;
#pragma unroll
    for (int i = 0; i < kRows / 16; ++i)
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        Pack<uint32_t, 4> eight;
#pragma unroll
        for (int j = 0; j < 4; ++j)
          eight.of[j] = uint32_t(BFloat16(to.finished(sums[i][j][2 * e], bias[j][0])).bits) |
                        uint32_t(BFloat16(to.finished(sums[i][j][2 * e + 1], bias[j][1])).bits) << 16;
        transpose_quad(eight.of);
        if (const int64_t row = place_of(m() + 16 * i + g + 8 * e); row != kNowhere && first < columns)
          tensor::cuda::store(reinterpret_cast<uint32_t*>(to.y + row + at), eight);
      }
  }

  /// place_of(row of the block) is where that row of the result begins, or kNowhere. The block's columns are those of
  /// `columns` from `first_n` on.
  template <class To, class PlaceOf>
  __device__ __forceinline__ void store(const To& to, int first_n, int columns, const PlaceOf& place_of) const {
    if constexpr (std::is_same_v<typename To::Element, BFloat16>)
      if (!to.partial && to.channels % 8 == 0) return store_eights(to, first_n, columns, place_of);
    const int lane = int(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int column = first_n + n() + 8 * j + 2 * t;
      if (column >= columns) continue;
      const auto two = to.columns(column, columns);
#pragma unroll
      for (int i = 0; i < kRows / 16; ++i)
#pragma unroll
        for (int e = 0; e < 2; ++e)
          if (const int64_t row = place_of(m() + 16 * i + g + 8 * e); row != kNowhere)
            to.put(int(blockIdx.y), row, two, sums[i][j][2 * e], sums[i][j][2 * e + 1]);
    }
  }
};

/// y = act(bias + the slices' sums, in order).
template <class Y, class Place>
__global__ void sum_slices_kernel(Store<Y, Place> to, int slices) {
  for_each(to.size, [=](int64_t i) {
    float total = to.bias_at(i);
    for (int slice = 0; slice < slices; ++slice) total += to.partial[slice * to.size + i];
    to.y[i] = Y(to.relu && total < 0 ? 0 : total);
  });
}

template <class Y, class Place>
void add_slices(const ProductPlan& plan, const Store<Y, Place>& to) {
  if (plan.slices > 1)
    launch("sum_slices", &sum_slices_kernel<Y, Place>, blocks_for(to.size), kThreads, to, int(plan.slices));
}

/// Calls f.template operator()<kM, kN>() with the plan's blocks. kTall: there are blocks of 256 rows too.
template <bool kTall, class F>
void with_block(const ProductPlan& plan, F f) {
  if constexpr (kTall)
    if (plan.rows == 256)
      return plan.columns == 64 ? f.template operator()<256, 64>() : f.template operator()<256, 128>();
  if (plan.columns == 32) return f.template operator()<128, 32>();
  plan.columns == 64 ? f.template operator()<128, 64>() : f.template operator()<128, 128>();
}

}  // namespace tensor::cuda
