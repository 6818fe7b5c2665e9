/// How the implicit GEMM cuts a product into blocks: for its launches, its workspaces and estimates of its time.
#pragma once
#include <cstdint>

namespace tensor::cuda {

/// [m, n] by sums of `depth`. A block makes rows x columns of it: the columns that waste least, and twice the rows
/// where `tall` allows it and they leave no device idle, since a block reads its rows and columns from the L2 cache.
/// Slices of the sum are enough for the largest devices (132 multiprocessors, two blocks each), of at least 256 summed
/// terms.
struct ProductPlan {
  int rows = 128, columns;
  int64_t blocks, slices, k_per_slice;

  ProductPlan(int64_t m, int64_t n, int64_t depth, int tile_depth, bool tall) {
    columns = n <= 32 ? 32 : n <= 64 ? 64 : 128;
    const int64_t tall_blocks = ceil_div(m, 256) * ceil_div(n, columns);
    if (tall && columns > 32 && tall_blocks >= (columns == 64 ? 264 : 120)) rows = 256;
    blocks = ceil_div(m, rows) * ceil_div(n, columns);
    const int64_t wanted = blocks >= 132 || rows == 256 ? 1 : 264 / blocks, most = depth / 256 < 1 ? 1 : depth / 256;
    k_per_slice = ceil_div(ceil_div(depth, wanted < most ? wanted : most), tile_depth) * tile_depth;
    slices = ceil_div(depth, k_per_slice);
  }
  /// Partial sums, where there are slices.
  int64_t workspace(int64_t m, int64_t n) const { return slices > 1 ? slices * m * n : 0; }

 private:
  static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
};

}  // namespace tensor::cuda
