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

/// The filters as the product's other operand, packs of 32 channels of a tap at a time: w[k, r, s, c] of a convolution,
/// or of the convolution of dy that is its input's gradient, w[c, 2 - r, 2 - s, k]: there the summed channels are the
/// weight's rows, and a tile is read transposed.
template <bool kTurned>
struct Filters {
  using View = std::conditional_t<kTurned, MatrixColumns<BFloat16>, MatrixRows<BFloat16>>;
  const BFloat16* w;
  int count, channels;

  template <int kN, int kBlockThreads>
  __device__ __forceinline__ void fetch(int first, int channel, int tap, BFloat16* to) const {
    using Mine = Share<BFloat16, !kTurned, kN, kBlockThreads>;
    if (Mine::takes_part())
#pragma unroll
      for (int i = 0; i < Mine::kVectors; ++i) {
        const int k = first + Mine::free(i), c = channel + Mine::k(i);
        copy_16_bytes_async(
            to + Mine::template place<kTileStride<View, kN>>(i),
            kTurned ? w + (c * kTaps + (kTaps - 1 - tap)) * count + k : w + (k * kTaps + tap) * channels + c,
            k < count);
      }
  }
};

/// y[n, p, q, k] = act(bias + sum over channels, r, s of x[n, p + r - padding, q + s - padding, c] filter[k, r, s, c]),
/// or the sum over a slice of the channels to to.partial.
template <int kM, int kN, bool kTurned>
__global__ void __launch_bounds__(kBlock<kM, kN>, kResident<kM, kN>)
    conv3x3_kernel(PatchWindows z, const __grid_constant__ ImageParts<const BFloat16> x, Filters<kTurned> filters,
                   Store<BFloat16, Steps> to, const __grid_constant__ ImageParts<BFloat16> y, int channels_per_slice) {
  using View = typename Filters<kTurned>::View;
  constexpr int kThreads = kBlock<kM, kN>, kLines = kM / kAcross, kFilters = kTileElements<View, kN>;
  BFloat16* const pixels = dynamic_shared<BFloat16>();                 // [2][line][column][channel]
  BFloat16* const filter_tiles = pixels + 2 * kPixelElements<kLines>;  // [kFilterStages]
  const int blocks_n = (filters.count + kN - 1) / kN, first_n = int(blockIdx.x) % blocks_n * kN;
  const Place at(z, kLines, int(blockIdx.x) / blocks_n);
  const int begin = int(blockIdx.y) * channels_per_slice;
  const int end = begin + channels_per_slice < z.c ? begin + channels_per_slice : z.c;
  WarpTile<kM, kN> mine;
  const bool idle = at.p + mine.m() / kAcross >= z.p || first_n + mine.n() >= filters.count;

  int next = begin, next_tap = 0;  // what is fetched next
  const auto fetch_filters = [&](int stage) {
    if (next < end) filters.template fetch<kN, kThreads>(first_n, next, next_tap, filter_tiles + stage * kFilters);
    if (++next_tap == kTaps) next_tap = 0, next += kDepth;
    commit_copies();  // an empty group too, so that the wait below always counts the same
  };
  // A lane's row of its matrices, as in `operands`: pixel `column` of a line, and a half of the step's channels.
  const int lane = int(threadIdx.x) % 32, column = lane % 8 + lane / 8 % 2 * 8, half = lane / 16;

  fetch_pixels<kLines, kThreads>(z, x, at, begin, pixels);
  fetch_filters(0);
  fetch_filters(1);
  for (int channel = begin, buffer = 0; channel < end; channel += kDepth, buffer ^= 1)
#pragma unroll 1
    for (int r = 0; r < 3; ++r)
#pragma unroll
      for (int s = 0; s < 3; ++s) {
        wait_for_copies<kFilterStages - 2>();
        // After it all copies of this tap are there, and all warps are done with the memory that is filled next.
        __syncthreads();
        if (s == 0 && r == 0 && channel + kDepth < end)
          fetch_pixels<kLines, kThreads>(z, x, at, channel + kDepth, pixels + (buffer ^ 1) * kPixelElements<kLines>);
        fetch_filters((s + 2) % kFilterStages);
        if (idle) continue;
        __syncwarp();  // copies may have parted the lanes, which the matrix instructions need together
        const BFloat16* const left =
            pixels + buffer * kPixelElements<kLines> + ((mine.m() / kAcross + r) * kLine + column + s) * kDepth;
#pragma unroll
        for (int k = 0; k < kDepth; k += kMmaDepth<BFloat16>)
          mine.template add<View>(filter_tiles + s * kFilters, k, [&](int row, uint32_t(&a)[4]) {
            load_matrices<false>(a, left + row / kAcross * kLine * kDepth +
                                        swizzled(column + s, k / kVector<BFloat16> + half) * kVector<BFloat16>);
          });
      }
  if (idle) return;
  // A warp's columns lie in one part of y.
  const auto part = y.holding(first_n + mine.n());
  int columns = filters.count, first = first_n;
  if (!to.partial) {
    to.y = part.values, to.place.of_row = to.channels = columns = part.channels;
    first -= part.first;
    if (to.bias) to.bias += part.first;
  }
  mine.store(to, first, columns, [&](int row) {
    const int p = at.p + row / kAcross, q = at.q + row % kAcross;
    return p < z.p && q < z.q ? to.place.row((at.image * z.p + p) * z.q + q) : kNowhere;
  });
}

}  // namespace

int64_t conv3x3_workspace(const ConvShape& z) { return ProductPlan::of_windows(z).workspace(z.n * z.p * z.q, z.k); }

template <bool kTurned>
void conv3x3(const ConvShape& z, const ImageParts<const BFloat16>& x, const BFloat16* w, const float* b,
             Activation activation, float* workspace, const ImageParts<BFloat16>& y) {
  const ProductPlan plan = ProductPlan::of_windows(z);
  const Store<BFloat16, Steps> to{
      b,   activation == Activation::relu, y.of[0], plan.slices > 1 ? workspace : nullptr, {z.k, 1},
      z.k, z.n * z.p * z.q * z.k};
  const Filters<kTurned> filters{w, int(z.k), int(z.c)};
  with_block<true>(plan, [&]<int kM, int kN>() {
    constexpr int kElements =
        2 * kPixelElements<kM / kAcross> + kFilterStages * kTileElements<typename Filters<kTurned>::View, kN>;
    launch_with_shared(kTurned ? "conv2d_grad_input" : "conv2d", &conv3x3_kernel<kM, kN, kTurned>,
                       dim3(unsigned(plan.blocks), unsigned(plan.slices)), kBlock<kM, kN>,
                       kElements * int(sizeof(BFloat16)), PatchWindows(z), x, filters, to, y,
                       int(plan.k_per_slice / kTaps));
  });
  add_slices(plan, to);
}
template void conv3x3<false>(const ConvShape&, const ImageParts<const BFloat16>&, const BFloat16*, const float*,
                             Activation, float*, const ImageParts<BFloat16>&);
template void conv3x3<true>(const ConvShape&, const ImageParts<const BFloat16>&, const BFloat16*, const float*,
                            Activation, float*, const ImageParts<BFloat16>&);

}  // namespace tensor::cuda
