/// How the products on tensor cores are cut into blocks: for their launches, their workspaces and estimates of their
/// time.
#pragma once
#include <algorithm>
#include <vector>

#include "tensor/conv_shape.h"

namespace tensor::cuda {

/// [m, n] by sums of `depth`. A block makes rows x columns of it: the columns that waste least, and twice the rows
/// where tall blocks are allowed and leave no device idle, since a block reads its rows and columns from the L2 cache.
/// Slices of the sum are enough for the largest devices (132 multiprocessors, two blocks each), of at least 256 summed
/// terms.
struct ProductPlan {
  int rows = 128, columns;
  int64_t blocks, slices, k_per_slice;

  ProductPlan(int64_t m, int64_t n, int64_t depth, int tile_depth, bool tall)
      : ProductPlan(ceil_div(m, 128), tall ? ceil_div(m, 256) : 0, n, depth, tile_depth) {}

  /// Windows that share their pixels (windows.cuh): taps, a block's pixels across, a pack of channels; and of the
  /// weight's gradient a tile's lines and a block's filters.
  static constexpr int kTaps = 9, kAcross = 16, kPack = 32, kGradientLines = 4, kGradientFilters = 64;
  /// Of a convolution by conv3x3.cu. A block makes kAcross pixels across and rows / kAcross down.
  static ProductPlan of_windows(const ConvShape& z) {
    const int64_t across = z.n * ceil_div(z.q, kAcross), low = 128 / kAcross, tall = 256 / kAcross;
    return {across * ceil_div(z.p, low), z.p % tall == 0 ? across * (z.p / tall) : 0, z.k, kTaps * z.c, kTaps * kPack};
  }
  /// Whether windows may share their pixels in this pass. Few filters would leave half of a weight gradient's blocks
  /// idle; the image's gradient reads eight channels of the weight at once.
  static bool has_windows(ConvPass pass, const ConvShape& z) {
    if (pass == ConvPass::grad_input) return z.stride == 1 && z.c % 8 == 0 && has_windows(z.turned());
    return has_windows(z) && (pass == ConvPass::forward || z.k > kGradientFilters / 2);
  }
  /// Whether the image may lie in parts of these numbers of channels, where all three passes have windows: a gradient's
  /// slices are added up in one piece.
  static constexpr int kMostParts = 6;
  static bool takes_parts(const ConvShape& z, const std::vector<int64_t>& channels) {
    return channels.size() <= kMostParts &&
           std::all_of(channels.begin(), channels.end(), [](int64_t c) { return c % kPack == 0; }) &&
           of_windows(z.turned()).slices == 1;
  }

  /// Of the weight's gradient by conv3x3_grad_weight.cu. A block makes kTaps by kPack channels by kGradientFilters from
  /// tiles of kAcross pixels across and kGradientLines down, so many of them a slice, at least 8.
  static ProductPlan of_windows_gradient(const ConvShape& z) {
    ProductPlan plan;
    plan.rows = kTaps * kPack, plan.columns = kGradientFilters;
    plan.blocks = z.c / kPack * ceil_div(z.k, kGradientFilters);
    const int64_t tiles = gradient_tiles(z), wanted = plan.blocks >= 120 ? 1 : 264 / plan.blocks;
    plan.k_per_slice = std::max(ceil_div(tiles, wanted), std::min<int64_t>(tiles, 8));
    plan.slices = ceil_div(tiles, plan.k_per_slice);
    return plan;
  }
  static int64_t gradient_tiles(const ConvShape& z) {
    return z.n * ceil_div(z.p, kGradientLines) * ceil_div(z.q, kAcross);
  }

  /// Partial sums, where there are slices.
  int64_t workspace(int64_t m, int64_t n) const { return slices > 1 ? slices * m * n : 0; }

 private:
  ProductPlan() = default;
  /// 3x3 windows side by side, of whole packs of channels, where blocks have few pixels beyond the image's edge.
  static bool has_windows(const ConvShape& z) {
    const int64_t in_blocks = ceil_div(z.p, 128 / kAcross) * 128 * ceil_div(z.q, kAcross);
    return z.r == 3 && z.s == 3 && z.stride == 1 && z.c % kPack == 0 && 4 * in_blocks <= 5 * z.p * z.q;
  }
  /// The result's rows fill so many blocks of 128, or of 256, 0 where those are not allowed.
  ProductPlan(int64_t low, int64_t tall, int64_t n, int64_t depth, int tile_depth) {
    columns = n <= 32 ? 32 : n <= 64 ? 64 : 128;
    if (columns == 128 && low * ceil_div(n, 128) < 120) columns = 64;  // more blocks before slices
    const int64_t across = ceil_div(n, columns);
    if (columns > 32 && tall * across >= (columns == 64 ? 264 : 120)) rows = 256;
    blocks = (rows == 256 ? tall : low) * across;
    const int64_t wanted = blocks >= 120 || rows == 256 ? 1 : 264 / blocks, most = depth / 256 < 1 ? 1 : depth / 256;
    k_per_slice = ceil_div(ceil_div(depth, wanted < most ? wanted : most), tile_depth) * tile_depth;
    slices = ceil_div(depth, k_per_slice);
  }
  static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
};

}  // namespace tensor::cuda
