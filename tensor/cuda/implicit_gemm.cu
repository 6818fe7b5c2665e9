/// Convolution as a matrix product of views on tensor cores: nothing is written out between image and product.
///
/// A block of 8 warps makes 128 x 64 of the result, 32 of the summed index at a time: the next tiles travel to
/// registers while the warps multiply the present ones from shared memory. The weight's gradient is summed over slices
/// of the pixels, whose number the shape fixes, and the slices in order: no atomics.
#include "tensor/cuda/gemm_views.cuh"
#include "tensor/cuda/kernels.h"
#include "tensor/cuda/launch.h"
#include "tensor/cuda/mma.h"

namespace tensor::cuda {
namespace {

constexpr int kM = 128, kN = 64, kK = 32;
// 36 mod 32 = 4: the eight rows and four columns that a warp's fragment touches lie in 32 different banks.
constexpr int kStride = kK + 4;

/// A thread's share of a tile of kRows x kK values.
template <int kRows, class View>
struct TileLoader {
  static constexpr int kQuads = kRows * kK / 4 / kThreads;
  typename View::At at[kQuads];
  Quad values[kQuads];

  __device__ static int row(int i) {
    const int quad = int(threadIdx.x) + i * kThreads;
    return View::kAlongK ? quad / (kK / 4) : quad % (kRows / 4) * 4;
  }
  __device__ static int depth(int i) {
    const int quad = int(threadIdx.x) + i * kThreads;
    return View::kAlongK ? quad % (kK / 4) * 4 : quad / (kRows / 4);
  }
  __device__ TileLoader(const View& view, int64_t first_row) {
    for (int i = 0; i < kQuads; ++i) at[i] = view.prepare(first_row + row(i));
  }
  __device__ void fetch(const View& view, int64_t k, int64_t k_end) {
#pragma unroll
    for (int i = 0; i < kQuads; ++i) values[i] = k + depth(i) < k_end ? view.load(at[i], k + depth(i)) : Quad{};
  }
  template <MmaType kType>
  __device__ void store(float (&tile)[kRows][kStride]) const {
#pragma unroll
    for (int i = 0; i < kQuads; ++i)
      for (int j = 0; j < 4; ++j)
        tile[row(i) + (View::kAlongK ? 0 : j)][depth(i) + (View::kAlongK ? j : 0)] =
            round_operand<kType>(values[i].v[j]);
  }
};

/// store(slice, m, n, value) for the sums over k in [slice k_per_slice, ...): a's free index is m, b's n.
template <MmaType kType, class A, class B, class Store>
__global__ void __launch_bounds__(kThreads)
    product_kernel(A a, B b, Store store, int64_t m, int64_t n, int64_t depth, int64_t k_per_slice) {
  __shared__ float left[kM][kStride];
  __shared__ float right[kN][kStride];
  const int64_t first_m = int64_t(blockIdx.x) * kM, first_n = int64_t(blockIdx.y) * kN;
  const int64_t begin = blockIdx.z * k_per_slice, end = begin + k_per_slice < depth ? begin + k_per_slice : depth;
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
  const int warp_m = warp / 2 * 32, warp_n = warp % 2 * 32;

  TileLoader<kM, A> load_a(a, first_m);
  TileLoader<kN, B> load_b(b, first_n);
  float sums[2][4][4] = {};
  load_a.fetch(a, begin, end);
  load_b.fetch(b, begin, end);
  for (int64_t k = begin; k < end; k += kK) {
    load_a.template store<kType>(left);
    load_b.template store<kType>(right);
    __syncthreads();
    if (k + kK < end) {
      load_a.fetch(a, k + kK, end);
      load_b.fetch(b, k + kK, end);
    }
#pragma unroll
    for (int step = 0; step < kK; step += 8) {
      float fa[2][4], fb[4][2];
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const int row = warp_m + 16 * i + g;
        fa[i][0] = left[row][step + t];
        fa[i][1] = left[row + 8][step + t];
        fa[i][2] = left[row][step + t + 4];
        fa[i][3] = left[row + 8][step + t + 4];
      }
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        fb[j][0] = right[warp_n + 8 * j + g][step + t];
        fb[j][1] = right[warp_n + 8 * j + g][step + t + 4];
      }
#pragma unroll
      for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) mma_16x8x8(sums[i][j], fa[i], fb[j]);
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 2; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int64_t row = first_m + warp_m + 16 * i + g + 8 * (e / 2),
                      column = first_n + warp_n + 8 * j + 2 * t + e % 2;
        if (row < m && column < n) store(int64_t(blockIdx.z), row, column, sums[i][j][e]);
      }
}

struct StoreActivated {
  const float* bias;
  bool relu;
  float* y;
  int64_t columns;
  __device__ void operator()(int64_t, int64_t row, int64_t column, float v) const {
    if (bias) v += bias[column];
    y[row * columns + column] = relu && v < 0 ? 0 : v;
  }
};

struct StoreSlice {
  float* partial;
  int64_t rows, columns;
  __device__ void operator()(int64_t slice, int64_t row, int64_t column, float v) const {
    partial[(slice * rows + row) * columns + column] = v;
  }
};

template <class A, class B, class Store>
void product(const char* name, MmaType type, A a, B b, Store store, int64_t m, int64_t n, int64_t depth,
             int64_t slices) {
  const dim3 grid(unsigned((m + kM - 1) / kM), unsigned((n + kN - 1) / kN), unsigned(slices));
  const int64_t k_per_slice = ((depth + slices - 1) / slices + kK - 1) / kK * kK;
  if (type == MmaType::tf32)
    launch(name, &product_kernel<MmaType::tf32, A, B, Store>, grid, kThreads, a, b, store, m, n, depth, k_per_slice);
  else
    launch(name, &product_kernel<MmaType::bf16, A, B, Store>, grid, kThreads, a, b, store, m, n, depth, k_per_slice);
}

/// turned[c, r, s, k] = w[k, r, s, c].
__global__ void turn_weight_kernel(ConvShape z, const float* w, float* turned) {
  for_each(z.c * z.r * z.s * z.k, [=](int64_t i) {
    const Coordinates at = coordinates(i, z.r, z.s, z.k);
    turned[i] = w[((at.c * z.r + at.h) * z.s + at.w) * z.c + at.n];
  });
}

__global__ void sum_slices_kernel(const float* partial, int64_t slices, int64_t n, float* y) {
  for_each(n, [=](int64_t i) {
    float total = 0;
    for (int64_t slice = 0; slice < slices; ++slice) total += partial[slice * n + i];
    y[i] = total;
  });
}

/// Slices of the pixels: enough blocks for the largest devices, at least 1024 pixels each.
int64_t weight_slices(const ConvShape& z) {
  const int64_t tiles = (z.k + kM - 1) / kM * ((z.r * z.s * z.c + kN - 1) / kN);
  const int64_t wanted = 528 / tiles, most = z.n * z.p * z.q / 1024, slices = wanted < most ? wanted : most;
  return slices < 1 ? 1 : slices;
}

}  // namespace

void conv2d_mma(MmaType type, const ConvShape& z, const float* x, const float* w, const float* b, Activation activation,
                float* y) {
  const int64_t pixels = z.n * z.p * z.q, depth = z.r * z.s * z.c;
  product("conv2d", type, PatchRows{x, z}, MatrixRows{w, z.k, depth},
          StoreActivated{b, activation == Activation::relu, y, z.k}, pixels, z.k, depth, 1);
}

void conv2d_grad_input_mma(MmaType type, const ConvShape& z, const float* dy, const float* w, const float* b,
                           float* workspace, float* dx) {
  const int64_t pixels = z.n * z.h * z.w, depth = z.r * z.s * z.k;
  launch("conv2d_grad_input", &turn_weight_kernel, blocks_for(depth * z.c), kThreads, z, w, workspace);
  product("conv2d_grad_input", type, GradInputRows{dy, z}, MatrixRows{workspace, z.c, depth},
          StoreActivated{b, false, dx, z.c}, pixels, z.c, depth, 1);
}

int64_t conv2d_grad_weight_mma_workspace(const ConvShape& z) { return weight_slices(z) * z.k * z.r * z.s * z.c; }

void conv2d_grad_weight_mma(MmaType type, const ConvShape& z, const float* dy, const float* x, float* workspace,
                            float* dw) {
  const int64_t pixels = z.n * z.p * z.q, columns = z.r * z.s * z.c, slices = weight_slices(z);
  product("conv2d_grad_weight", type, MatrixColumns{dy, z.k, pixels}, PatchColumns{PatchRows{x, z}},
          StoreSlice{workspace, z.k, columns}, z.k, columns, pixels, slices);
  launch("conv2d_grad_weight", &sum_slices_kernel, blocks_for(z.k * columns), kThreads,
         static_cast<const float*>(workspace), slices, z.k * columns, dw);
}

}  // namespace tensor::cuda
