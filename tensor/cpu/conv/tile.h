/// The register tile: the one inner loop that every matrix product and convolution of the CPU runs.
///
/// A tile is rows x vectors of accumulators that stay in registers. 24 of them (6 x 4, 8 x 3, 12 x 2, 24 x 1) on a
/// machine with 32 vector registers, 12 (4 x 3, 6 x 2, 12 x 1) with 16: enough independent sums to hide the latency of
/// a multiplication, and few enough loads that the multiplications, not the loads, set the pace.
#pragma once
#include <cstdint>

#include "tensor/cpu/vector.h"

namespace tensor::cpu {

/// What a tile sums: out[m][:] = sum over runs and i of a[m a_row + i a_step + run a_run] b[i b_step + run b_run + :].
/// A run is one row of a filter (its taps and channels are consecutive in memory) or one row of an image.
struct Products {
  const float* a;
  int64_t a_row, a_step, a_run;
  const float* b;
  int64_t b_step, b_run;
  int64_t depth, runs;
};

constexpr int kTileSums = kVectorRegisters == 32 ? 24 : 12;
constexpr int kMostVecs = kVectorRegisters == 32 ? 4 : 3;
/// Rows of the full tile of `vecs` vectors.
constexpr int tile_rows(int vecs) { return kTileSums / vecs; }

/// acc += one step: row m's value is value(m).
template <int kRows, int kVecs, class Value>
[[gnu::always_inline]] inline void add_step(Value value, const float* b, Vec (&acc)[kRows][kVecs]) {
  Vec row[kVecs];
  UNROLL for (int v = 0; v < kVecs; ++v) row[v] = load(b + kLanes * v);
  UNROLL for (int m = 0; m < kRows; ++m) {
    const float x = value(m);
    UNROLL for (int v = 0; v < kVecs; ++v) acc[m][v] += x * row[v];
  }
}

/// acc += the products.
template <int kRows, int kVecs>
[[gnu::always_inline]] inline void add_products(const Products& z, Vec (&acc)[kRows][kVecs]) {
  const float *a_run = z.a, *b_run = z.b;
  if (z.a_row == 1) {  // neighbours: constant offsets
    for (int64_t run = 0; run < z.runs; ++run, a_run += z.a_run, b_run += z.b_run) {
      const float *a = a_run, *b = b_run;
      for (int64_t i = 0; i < z.depth; ++i, a += z.a_step, b += z.b_step) add_step([=](int m) { return a[m]; }, b, acc);
    }
    return;
  }
  // One pointer for four rows, which reach theirs by scaled offsets: an offset a row would not fit in the registers,
  // and reading it back costs as much as the value it leads to. The empty asm keeps g++ from undoing that.
  constexpr int kGroups = (kRows + 3) / 4;
  const int64_t row1 = z.a_row;
  int64_t row3 = 3 * row1;
  asm("" : "+r"(row3));
  for (int64_t run = 0; run < z.runs; ++run, a_run += z.a_run, b_run += z.b_run) {
    const float *a[kGroups], *b = b_run;
    UNROLL for (int g = 0; g < kGroups; ++g) a[g] = a_run + 4 * g * row1;
    for (int64_t i = 0; i < z.depth; ++i, b += z.b_step) {
      add_step([&](int m) { return a[m / 4][m % 4 == 3 ? row3 : m % 4 * row1]; }, b, acc);
      UNROLL for (int g = 0; g < kGroups; ++g) {
        a[g] += z.a_step;
        asm("" : "+r"(a[g]));
      }
    }
  }
}

/// What happens to the sums: out = act(bias + sums [+ out]). Adding out last keeps long sums accurate: they are made of
/// short ones.
struct TileStore {
  float* out;
  int64_t ld_out;
  int64_t columns;              // of out that are written; fewer than the tile's in the last block
  const float* bias = nullptr;  // one value a column, whole vectors readable
  bool accumulate = false, relu = false;
};

/// One tile of at most kMostVecs vectors. Rows: 1 to 6 or an even number up to tile_rows(vecs) (see rows_below).
void run_tile(int rows, int vecs, const Products& products, const TileStore& store);

/// The tallest tile of `vecs` vectors with at most `rows` rows.
constexpr int rows_below(int64_t rows, int vecs) {
  const int most = tile_rows(vecs);
  return rows >= most ? most : rows <= 6 ? int(rows) : int(rows) / 2 * 2;
}

/// A number of columns cut into blocks of at most kMostVecs vectors, as equal as can be.
struct ColumnBlocks {
  int64_t columns, vecs = divide_up(columns, kLanes), count = divide_up(vecs, kMostVecs);
  explicit ColumnBlocks(int64_t columns_) : columns(columns_) {}
  /// First column of block i; first(count) is the padded number of columns.
  int64_t first(int64_t i) const { return (i * (vecs / count) + (i < vecs % count ? i : vecs % count)) * kLanes; }
  int vecs_of(int64_t i) const { return int((first(i + 1) - first(i)) / kLanes); }
  /// Columns of block i that exist.
  int64_t width(int64_t i) const { return (first(i + 1) < columns ? first(i + 1) : columns) - first(i); }
};

/// All rows of one block of columns, tile by tile.
inline void run_rows(int64_t rows, int vecs, Products products, TileStore store) {
  while (rows > 0) {
    const int step = rows_below(rows, vecs);
    run_tile(step, vecs, products, store);
    products.a += step * products.a_row;
    store.out += step * store.ld_out;
    rows -= step;
  }
}

}  // namespace tensor::cpu
