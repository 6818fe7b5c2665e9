/// The weight's gradient of a 3x3 convolution of stride 1 in bf16 on tensor cores, whose windows share their pixels.
///
/// A block makes nine taps by 32 channels by 64 filters of it. It takes 4 lines of 16 pixels at a time, while the
/// copies of the next two tiles are under way: each pixel of x, with the border, meets dy at nine places. The pixels
/// are cut into slices, as in implicit_gemm.cu.
#include "tensor/cuda/windows.cuh"

namespace tensor::cuda {
namespace {

constexpr int kLines = ProductPlan::kGradientLines, kFilters = ProductPlan::kGradientFilters, kStages = 3, kWarps = 4;
using Gradient = MatrixColumns<BFloat16>;  // a tile of dy: [pixel][filter]
constexpr int kStride = kTileStride<Gradient, kFilters>;
constexpr int kStage = kPixelElements<kLines> + kLines * kAcross * kStride;

/// Starts the copies of dy at a block's pixels; 0 outside the image.
__device__ __forceinline__ void fetch_gradient(const PatchWindows& z, const BFloat16* dy, int filters, const Place& at,
                                               int filter, BFloat16* to) {
  constexpr int kInRow = kFilters / kVector<BFloat16>;
#pragma unroll 1
  for (int i = int(threadIdx.x); i < kLines * kAcross * kInRow; i += 32 * kWarps) {
    const int pixel = i / kInRow, first = i % kInRow * kVector<BFloat16>;
    const int p = at.p + pixel / kAcross, q = at.q + pixel % kAcross;
    copy_16_bytes_async(to + pixel * kStride + first,
                        dy + int64_t((at.image * z.p + p) * z.q + q) * filters + filter + first,
                        p < z.p && q < z.q && filter + first < filters);
  }
}

/// dw[k, r, s, c] = to(sum over n, p, q of the slice of dy[n, p, q, k] x[n, p + r - padding, q + s - padding, c]).
/// Rows of the result are (r, s, c), columns are filters. A warp makes all taps by 16 channels by 32 filters.
__global__ void __launch_bounds__(32 * kWarps, 2)
    conv3x3_grad_weight_kernel(PatchWindows z, const __grid_constant__ ImageParts<const BFloat16> x, const BFloat16* dy,
                               Store<float, Steps> to, int filters, int tiles, int tiles_per_slice) {
  BFloat16* const stages = dynamic_shared<BFloat16>();  // [kStages]: pixels, then the gradient
  const int blocks_n = (filters + kFilters - 1) / kFilters, first_n = int(blockIdx.x) % blocks_n * kFilters;
  const int channel = int(blockIdx.x) / blocks_n * kDepth;
  const int begin = int(blockIdx.y) * tiles_per_slice;
  const int count = (begin + tiles_per_slice < tiles ? begin + tiles_per_slice : tiles) - begin;
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
  const int warp_m = warp / 2 * 16, warp_n = warp % 2 * 32;
  const bool idle = first_n + warp_n >= filters;

  const auto fetch = [&](int tile) {
    if (tile < count) {
      BFloat16* const stage = stages + tile % kStages * kStage;
      const Place at(z, kLines, begin + tile);
      fetch_pixels<kLines, 32 * kWarps>(z, x, at, channel, stage);
      fetch_gradient(z, dy, filters, at, first_n, stage + kPixelElements<kLines>);
    }
    commit_copies();  // an empty group too, so that the wait below always counts the same
  };
  // A lane's row of its matrices, as in `operands`: a pixel of a line, and 8 of the warp's channels.
  const int column = lane % 8 + lane / 16 * 8, vector = warp_m / kVector<BFloat16> + lane / 8 % 2;
  float sums[kTaps][4][4] = {};
  fetch(0);
  fetch(1);
  for (int tile = 0; tile < count; ++tile) {
    wait_for_copies<kStages - 2>();
    // After it all copies of this tile are there, and all warps are done with the stage that is filled next.
    __syncthreads();
    fetch(tile + kStages - 1);
    if (idle) continue;
    __syncwarp();  // copies may have parted the lanes, which the matrix instructions need together
    const BFloat16* const pixels = stages + tile % kStages * kStage;
#pragma unroll
    for (int line = 0; line < kLines; ++line) {
      uint32_t b[2][4];  // two columns of eight filters each
#pragma unroll
      for (int j = 0; j < 2; ++j)
        operands<Operand::two_b, Gradient, kFilters>(pixels + kPixelElements<kLines>, warp_n + 16 * j, line * kAcross,
                                                     b[j]);
#pragma unroll
      for (int tap = 0; tap < kTaps; ++tap) {
        const int r = tap / 3, s = tap % 3;
        uint32_t a[4];
        load_matrices<true>(
            a, pixels + ((line + r) * kLine + column + s) * kDepth + swizzled(column + s, vector) * kVector<BFloat16>);
#pragma unroll
        for (int j = 0; j < 4; ++j) mma<BFloat16>(sums[tap][j], a, {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]});
      }
    }
  }
  if (idle) return;
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    const int n = first_n + warp_n + 8 * j + 2 * t;
    if (n >= filters) continue;
    const auto two = to.columns(n, filters);
#pragma unroll
    for (int tap = 0; tap < kTaps; ++tap)
#pragma unroll
      for (int e = 0; e < 2; ++e)
        to.put(int(blockIdx.y), to.place.row(tap * z.c + channel + warp_m + g + 8 * e), two, sums[tap][j][2 * e],
               sums[tap][j][2 * e + 1]);
  }
}

}  // namespace

int64_t conv3x3_grad_weight_workspace(const ConvShape& z) {
  return ProductPlan::of_windows_gradient(z).workspace(kTaps * z.c, z.k);
}

void conv3x3_grad_weight(const ConvShape& z, const BFloat16* dy, const ImageParts<const BFloat16>& x, float* workspace,
                         float* dw) {
  const ProductPlan plan = ProductPlan::of_windows_gradient(z);
  const int64_t row = kTaps * z.c;
  const Store<float, Steps> to{nullptr, false, dw, plan.slices > 1 ? workspace : nullptr, {1, row}, row, row * z.k};
  launch_with_shared("conv2d_grad_weight", &conv3x3_grad_weight_kernel,
                     dim3(unsigned(plan.blocks), unsigned(plan.slices)), 32 * kWarps,
                     kStages * kStage * int(sizeof(BFloat16)), PatchWindows(z), x, dy, to, int(z.k),
                     int(ProductPlan::gradient_tiles(z)), int(plan.k_per_slice));
  add_slices(plan, to);
}

}  // namespace tensor::cuda
