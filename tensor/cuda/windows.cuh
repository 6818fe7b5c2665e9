/// 3x3 windows side by side share their pixels: a block brings each pixel to shared memory once for nine taps. Channels
/// come in packs of 32 bf16, kDepth; blocks make kAcross pixels across.
#pragma once
#include "tensor/cuda/image_parts.h"
#include "tensor/cuda/product.cuh"

namespace tensor::cuda {

constexpr int kDepth = kTileDepth<BFloat16>, kTaps = ProductPlan::kTaps, kAcross = ProductPlan::kAcross;
static_assert(kDepth == ProductPlan::kPack);
/// Pixels from a line in shared memory to the next: a multiple of 8, so that `swizzled` depends on the column alone,
/// and a step to the next line is a constant.
constexpr int kLine = 24;
/// Elements of the pixels under the windows of kLines lines: [kLines + 2][kLine][kDepth].
template <int kLines>
constexpr int kPixelElements = (kLines + 2) * kLine* kDepth;

/// Where a block's pixels lie: the first of `lines` lines.
struct Place {
  int image, p, q;
  /// The tile-th of those that cover the images, left to right, then down.
  __device__ Place(const PatchWindows& z, int lines, int tile) {
    const int across = (z.q + kAcross - 1) / kAcross, down = (z.p + lines - 1) / lines;
    image = tile / across / down, p = tile / across % down * lines, q = tile % across * kAcross;
  }
};

/// Starts the copies of a pack of channels of the pixels under a block's windows; 0 outside the image.
template <int kLines, int kBlockThreads>
__device__ __forceinline__ void fetch_pixels(const PatchWindows& z, const ImageParts<const BFloat16>& x,
                                             const Place& at, int channel, BFloat16* to) {
  const auto part = x.holding(channel);
  const BFloat16* const image = part.values + int64_t(at.image) * (z.h * z.w * part.channels) + (channel - part.first);
  constexpr int kWidth = kAcross + 2, kVectors = (kLines + 2) * kWidth * 4;
#pragma unroll 1
  for (int i = int(threadIdx.x); i < kVectors; i += kBlockThreads) {
    const int vector = i % 4, line = i / 4 / kWidth, column = i / 4 % kWidth;
    const int row = at.p - z.padding + line, across = at.q - z.padding + column;
    copy_16_bytes_async(to + (line * kLine + column) * kDepth + swizzled(column, vector) * kVector<BFloat16>,
                        image + (row * z.w + across) * part.channels + vector * kVector<BFloat16>,
                        z.inside(row, across));
  }
}

}  // namespace tensor::cuda
