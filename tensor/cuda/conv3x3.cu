/// 3x3 convolutions of stride 1 in bf16 on tensor cores, whose windows share their pixels.
///
/// A block makes 16 pixels across and kM / 16 down by kN filters, 32 channels at a time: it holds the pixels of these
/// channels with their border, while those of the next 32 are on their way, and the filters tap by tap, two taps ahead.
/// Where blocks are few the channels are cut into slices, as in implicit_gemm.cu.
#include "tensor/cuda/windows.cuh"

namespace tensor::cuda {
namespace {

/// Filters of so many taps are in shared memory: those of column s of the window in place s.
constexpr int kFilterStages = 3;
template <int kN>
constexpr int kFilterElements = kN* kDepth;

/// y[n, p, q, k] = to(sum over channels of the slice, r, s of x[n, p + r - padding, q + s - padding, c] w[k, r, s, c]).
template <int kM, int kN>
__global__ void __launch_bounds__(kBlock<kM, kN>, kResident<kM, kN>)
    conv3x3_kernel(PatchWindows z, const BFloat16* x, const BFloat16* w, Store<BFloat16, Steps> to, int filters,
                   int channels_per_slice) {
  using Filters = Share<BFloat16, true, kN, kBlock<kM, kN>>;
  constexpr int kLines = kM / kAcross;
  BFloat16* const pixels = dynamic_shared<BFloat16>();                 // [2][line][column][channel]
  BFloat16* const filter_tiles = pixels + 2 * kPixelElements<kLines>;  // [kFilterStages][filter][channel]
  const int blocks_n = (filters + kN - 1) / kN, first_n = int(blockIdx.x) % blocks_n * kN;
  const Place at(z, kLines, int(blockIdx.x) / blocks_n);
  const int begin = int(blockIdx.y) * channels_per_slice;
  const int end = begin + channels_per_slice < z.c ? begin + channels_per_slice : z.c;
  WarpTile<kM, kN> mine;
  const bool idle = at.p + mine.m() / kAcross >= z.p || first_n + mine.n() >= filters;

  int next = begin, next_tap = 0;  // what fetch_filters fetches
  const auto fetch_filters = [&](int stage) {
    if (next < end && Filters::takes_part())
#pragma unroll
      for (int i = 0; i < Filters::kVectors; ++i) {
        const int filter = first_n + Filters::free(i);
        copy_16_bytes_async(filter_tiles + stage * kFilterElements<kN> + Filters::template place<kDepth>(i),
                            w + (filter * kTaps + next_tap) * z.c + next + Filters::k(i), filter < filters);
      }
    if (++next_tap == kTaps) next_tap = 0, next += kDepth;
    commit_copies();  // an empty group too, so that the wait below always counts the same
  };
  // A lane's row of its matrices, as in `operands`: pixel `column` of a line, and a half of the step's channels.
  const int lane = int(threadIdx.x) % 32, column = lane % 8 + lane / 8 % 2 * 8, half = lane / 16;

  fetch_pixels<kLines, kBlock<kM, kN>>(z, x, at, begin, pixels);
  fetch_filters(0);
  fetch_filters(1);
  for (int channel = begin, buffer = 0; channel < end; channel += kDepth, buffer ^= 1)
#pragma unroll 1
    for (int r = 0; r < 3; ++r)
#pragma unroll
      for (int s = 0; s < 3; ++s) {
        wait_for_copies<1>();
        // After it all copies of this tap are there, and all warps are done with the memory that is filled next.
        __syncthreads();
        if (s == 0 && r == 0 && channel + kDepth < end)
          fetch_pixels<kLines, kBlock<kM, kN>>(z, x, at, channel + kDepth,
                                               pixels + (buffer ^ 1) * kPixelElements<kLines>);
        fetch_filters((s + 2) % 3);
        if (idle) continue;
        __syncwarp();  // copies may have parted the lanes, which the matrix instructions need together
        const BFloat16* const left =
            pixels + buffer * kPixelElements<kLines> + ((mine.m() / kAcross + r) * kLine + column + s) * kDepth;
#pragma unroll
        for (int k = 0; k < kDepth; k += kMmaDepth<BFloat16>)
          mine.template add<MatrixRows<BFloat16>>(
              filter_tiles + s * kFilterElements<kN>, k, [&](int row, uint32_t(&a)[4]) {
                load_matrices<false>(a, left + row / kAcross * kLine * kDepth +
                                            swizzled(column + s, k / kVector<BFloat16> + half) * kVector<BFloat16>);
              });
      }
  if (idle) return;
  mine.store(to, first_n, filters, [&](int row) {
    const int p = at.p + row / kAcross, q = at.q + row % kAcross;
    return p < z.p && q < z.q ? to.place.row((at.image * z.p + p) * z.q + q) : kNowhere;
  });
}

template <int kM, int kN>
void launch_windows(const ProductPlan& plan, const ConvShape& z, const BFloat16* x, const BFloat16* w,
                    const Store<BFloat16, Steps>& to) {
  constexpr int kBytes = (2 * kPixelElements<kM / kAcross> + kFilterStages * kFilterElements<kN>)*int(sizeof(BFloat16));
  launch_with_shared("conv2d", &conv3x3_kernel<kM, kN>, dim3(unsigned(plan.blocks), unsigned(plan.slices)),
                     kBlock<kM, kN>, kBytes, PatchWindows(z), x, w, to, int(z.k), int(plan.k_per_slice / kTaps));
}

}  // namespace

int64_t conv3x3_workspace(const ConvShape& z) { return ProductPlan::of_windows(z).workspace(z.n * z.p * z.q, z.k); }

void conv3x3(const ConvShape& z, const BFloat16* x, const BFloat16* w, const float* b, Activation activation,
             float* workspace, BFloat16* y) {
  const ProductPlan plan = ProductPlan::of_windows(z);
  const Store<BFloat16, Steps> to{
      b,   activation == Activation::relu, y, plan.slices > 1 ? workspace : nullptr, {z.k, 1},
      z.k, z.n * z.p * z.q * z.k};
  with_block<true>(plan, [&]<int kM, int kN>() { launch_windows<kM, kN>(plan, z, x, w, to); });
  add_slices(plan, to);
}

}  // namespace tensor::cuda
