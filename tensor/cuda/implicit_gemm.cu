/// Convolution as a matrix product of views on tensor cores: nothing is written out between image and product.
///
/// A block of 8 warps makes 128 x kN of the result, 16 of the summed index at a time, while the copies of the next
/// three tiles are under way. Where the result has too few blocks to fill a device, the sum is cut into slices, whose
/// number the shape alone fixes, and the slices are added in order: no atomics, the same bits on every device.
#include "tensor/cuda/mma.h"
#include "tensor/cuda/tile_readers.cuh"

namespace tensor::cuda {
namespace {

constexpr int kM = 128, kStages = 4;

/// Registers of a fragment's operand, rows (or columns) `free` and free + 8, from k on.
template <MmaType kType, class View, int kRows>
__device__ __forceinline__ uint32_t operand(const float* tile, int free, int k) {
  constexpr int kStride = kTileStride<kType, View, kRows>;
  const float* const at = tile + (View::kAlongK ? free * kStride + k : k * kStride + free);
  if constexpr (kType == MmaType::tf32) return to_tf32(*at);
  if constexpr (View::kAlongK) {
    struct alignas(8) Two {
      float low, high;
    };
    const Two two = *reinterpret_cast<const Two*>(at);
    return to_bf16_pair(two.low, two.high);
  }
  return to_bf16_pair(at[0], at[kStride]);
}

/// Where a block's sums go: to y with bias and ReLU, or to its slice of `partial` for sum_slices.
struct Store {
  const float* bias;
  bool relu;
  float *y, *partial;
  /// Elements from one row to the next, from one column to the next; elements of y.
  int64_t row_step, column_step, size;
  __device__ void operator()(int slice, int row, int column, float v) const {
    const int64_t at = row * row_step + column * column_step;
    if (partial) {
      partial[slice * size + at] = v;
    } else {
      if (bias) v += bias[column];
      y[at] = relu && v < 0 ? 0 : v;
    }
  }
};

/// store(slice, m, n, sum over k in [slice k_per_slice, ...)): a's free index is m, b's n.
template <MmaType kType, int kN, class A, class B>
__global__ void __launch_bounds__(kThreads)
    product_kernel(A a, B b, Store store, int m, int n, int depth, int k_per_slice) {
  constexpr int kStrideA = kTileStride<kType, A, kM>, kStrideB = kTileStride<kType, B, kN>;
  constexpr int kFloatsA = kTileFloats<kType, A, kM>, kFloats = kFloatsA + kTileFloats<kType, B, kN>;
  constexpr int kWarpsN = kN / 32, kWarpM = kM / (8 / kWarpsN), kStep = MmaStep<kType>::kDepth;
  // Where a lane's operands begin along k, and how far apart its two registers are.
  constexpr int kPerLane = kType == MmaType::tf32 ? 1 : 2, kApart = kType == MmaType::tf32 ? 4 : 8;
  float* const tiles = dynamic_shared<float>();
  const int blocks_n = (n + kN - 1) / kN;
  const int first_m = int(blockIdx.x) / blocks_n * kM, first_n = int(blockIdx.x) % blocks_n * kN;
  const int begin = int(blockIdx.y) * k_per_slice, end = begin + k_per_slice < depth ? begin + k_per_slice : depth;
  const int count = (end - begin + kTileDepth - 1) / kTileDepth;
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
  const int warp_m = warp / kWarpsN * kWarpM, warp_n = warp % kWarpsN * 32;
  const bool idle = first_m + warp_m >= m || first_n + warp_n >= n;

  typename A::template Reader<kM> read_a(a, first_m, begin, end);
  typename B::template Reader<kN> read_b(b, first_n, begin, end);
  const auto fetch = [&](int tile) {
    if (tile < count) {
      float* const to = tiles + tile % kStages * kFloats;
      read_a.template fetch<kStrideA>(to);
      read_b.template fetch<kStrideB>(to + kFloatsA);
    }
    commit_copies();  // an empty group too, so that the wait below always counts the same
  };
  float sums[kWarpM / 16][4][4] = {};
#pragma unroll
  for (int tile = 0; tile < kStages - 1; ++tile) fetch(tile);
  for (int tile = 0; tile < count; ++tile) {
    wait_for_copies<kStages - 2>();
    // After it all copies of this tile are there, and all warps are done with the stage that is filled next.
    __syncthreads();
    fetch(tile + kStages - 1);
    if (idle) continue;
    const float* const left = tiles + tile % kStages * kFloats;
    const float* const right = left + kFloatsA;
#pragma unroll
    for (int step = 0; step < kTileDepth; step += kStep) {
      const int k = step + t * kPerLane;
      uint32_t fa[kWarpM / 16][4], fb[4][2];
#pragma unroll
      for (int i = 0; i < kWarpM / 16; ++i)
#pragma unroll
        for (int e = 0; e < 4; ++e)
          fa[i][e] = operand<kType, A, kM>(left, warp_m + 16 * i + g + 8 * (e % 2), k + kApart * (e / 2));
#pragma unroll
      for (int j = 0; j < 4; ++j)
#pragma unroll
        for (int e = 0; e < 2; ++e) fb[j][e] = operand<kType, B, kN>(right, warp_n + 8 * j + g, k + kApart * e);
#pragma unroll
      for (int i = 0; i < kWarpM / 16; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) mma<kType>(sums[i][j], fa[i], fb[j]);
    }
  }
  if (idle) return;
#pragma unroll
  for (int i = 0; i < kWarpM / 16; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int row = first_m + warp_m + 16 * i + g + 8 * (e / 2), column = first_n + warp_n + 8 * j + 2 * t + e % 2;
        if (row < m && column < n) store(int(blockIdx.y), row, column, sums[i][j][e]);
      }
}

/// y = act(bias + the slices' sums, in order).
__global__ void sum_slices_kernel(Store store, int slices, int64_t columns) {
  for_each(store.size, [=](int64_t i) {
    float total = store.bias ? store.bias[split(i, columns).remainder] : 0;
    for (int slice = 0; slice < slices; ++slice) total += store.partial[slice * store.size + i];
    store.y[i] = store.relu && total < 0 ? 0 : total;
  });
}

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// A product's blocks: kN that wastes least, and slices enough for the largest devices (132 multiprocessors, two blocks
/// each) of at least 256 summed terms.
struct Plan {
  int n_of_block;
  int64_t blocks, slices, k_per_slice;
  Plan(int64_t m, int64_t n, int64_t depth) {
    n_of_block = n <= 64 ? 64 : 128;
    blocks = ceil_div(m, kM) * ceil_div(n, n_of_block);
    const int64_t wanted = blocks >= 132 ? 1 : 264 / blocks, most = depth / 256 < 1 ? 1 : depth / 256;
    k_per_slice = ceil_div(ceil_div(depth, wanted < most ? wanted : most), kTileDepth) * kTileDepth;
    slices = ceil_div(depth, k_per_slice);
  }
  int64_t workspace(int64_t m, int64_t n) const { return slices > 1 ? slices * m * n : 0; }
};

template <MmaType kType, int kN, class A, class B>
void launch_product(const char* name, const Plan& plan, A a, B b, const Store& store, int64_t m, int64_t n,
                    int64_t depth) {
  constexpr int kBytes = kStages * (kTileFloats<kType, A, kM> + kTileFloats<kType, B, kN>)*int(sizeof(float));
  launch_with_shared(name, &product_kernel<kType, kN, A, B>, dim3(unsigned(plan.blocks), unsigned(plan.slices)),
                     kThreads, kBytes, a, b, store, int(m), int(n), int(depth), int(plan.k_per_slice));
}

template <class A, class B>
void product(const char* name, MmaType type, A a, B b, Store store, int64_t m, int64_t n, int64_t depth) {
  const Plan plan(m, n, depth);
  if (plan.slices == 1) store.partial = nullptr;
  const bool narrow = plan.n_of_block == 64;
  if (type == MmaType::tf32)
    narrow ? launch_product<MmaType::tf32, 64>(name, plan, a, b, store, m, n, depth)
           : launch_product<MmaType::tf32, 128>(name, plan, a, b, store, m, n, depth);
  else
    narrow ? launch_product<MmaType::bf16, 64>(name, plan, a, b, store, m, n, depth)
           : launch_product<MmaType::bf16, 128>(name, plan, a, b, store, m, n, depth);
  if (plan.slices > 1)
    launch("sum_slices", &sum_slices_kernel, blocks_for(store.size), kThreads, store, int(plan.slices),
           store.row_step == 1 ? store.column_step : store.row_step);
}

/// turned[c, r, s, k] = w[k, R-1-r, S-1-s, c].
__global__ void turn_weight_kernel(ConvShape z, const float* w, float* turned) {
  for_each(z.c * z.r * z.s * z.k, [=](int64_t i) {
    const Coordinates at = coordinates(i, z.r, z.s, z.k);
    turned[i] = w[((at.c * z.r + z.r - 1 - at.h) * z.s + z.s - 1 - at.w) * z.c + at.n];
  });
}

}  // namespace

int64_t conv2d_mma_workspace(const ConvShape& z) {
  return Plan(z.n * z.p * z.q, z.k, z.r * z.s * z.c).workspace(z.n * z.p * z.q, z.k);
}

void conv2d_mma(MmaType type, const ConvShape& z, const float* x, const float* w, const float* b, Activation activation,
                float* workspace, float* y) {
  const int64_t pixels = z.n * z.p * z.q, depth = z.r * z.s * z.c;
  const Store store{b, activation == Activation::relu, y, workspace, z.k, 1, pixels * z.k};
  product("conv2d", type, PatchRows{x, Windows(z)}, MatrixRows{w, int(z.k), int(depth)}, store, pixels, z.k, depth);
}

void turn_weight(const ConvShape& z, const float* w, float* turned) {
  launch("turn_weight", &turn_weight_kernel, blocks_for(z.k * z.r * z.s * z.c), kThreads, z, w, turned);
}

int64_t conv2d_grad_weight_mma_workspace(const ConvShape& z) {
  return Plan(z.r * z.s * z.c, z.k, z.n * z.p * z.q).workspace(z.r * z.s * z.c, z.k);
}

void conv2d_grad_weight_mma(MmaType type, const ConvShape& z, const float* dy, const float* x, float* workspace,
                            float* dw) {
  // Filters as columns: few of them leave no half of a block idle.
  const int64_t pixels = z.n * z.p * z.q, taps = z.r * z.s * z.c;
  const Store store{nullptr, false, dw, workspace, 1, taps, taps * z.k};
  product("conv2d_grad_weight", type, PatchColumns{x, Windows(z)}, MatrixColumns{dy, int(z.k)}, store, taps, z.k,
          pixels);
}

}  // namespace tensor::cuda
