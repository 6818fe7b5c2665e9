/// The sizes of the register tile that exist, and the choice among them.
#include "tensor/cpu/conv/tile.h"

#include <array>
#include <cstring>
#include <utility>

namespace tensor::cpu {
namespace {

/// acc += the products, each vector's halves summed in f64.
template <int kRows, int kVecs>
void add_products_wide(const Products& z, Vec (&acc)[kRows][kVecs]) {
  typedef float Half __attribute__((vector_size(2 * kLanes), aligned(4), may_alias));
  typedef double Wide __attribute__((vector_size(4 * kLanes)));
  for (int half = 0; half < 2 * kVecs; ++half) {
    const int first = half * kLanes / 2;
    Wide sums[kRows];
    UNROLL for (int m = 0; m < kRows; ++m) sums[m] =
        __builtin_convertvector(*reinterpret_cast<const Half*>(&acc[m][0][0] + first), Wide);
    for (int64_t run = 0; run < z.runs; ++run) {
      const float *a = z.a + run * z.a_run, *b = z.b + run * z.b_run + first;
      for (int64_t i = 0; i < z.depth; ++i, a += z.a_step, b += z.b_step) {
        const Wide row = __builtin_convertvector(*reinterpret_cast<const Half*>(b), Wide);
        UNROLL for (int m = 0; m < kRows; ++m) sums[m] += double(a[m * z.a_row]) * row;
      }
    }
    UNROLL for (int m = 0; m < kRows; ++m) * reinterpret_cast<Half*>(&acc[m][0][0] + first) =
        __builtin_convertvector(sums[m], Half);
  }
}

template <int kRows, int kVecs, bool kWide>
void tile(const Products& z, const TileStore& to) {
  Vec acc[kRows][kVecs];
  UNROLL for (int v = 0; v < kVecs; ++v) {
    const Vec start = to.bias ? load(to.bias + kLanes * v) : Vec{};
    UNROLL for (int m = 0; m < kRows; ++m) acc[m][v] = start;
  }
  if constexpr (kWide)
    add_products_wide(z, acc);
  else
    add_products(z, acc);
  const bool whole = to.columns >= kVecs * kLanes;
  if (to.accumulate && whole) {
    UNROLL for (int m = 0; m < kRows; ++m) UNROLL for (int v = 0; v < kVecs; ++v) acc[m][v] +=
        load(to.out + m * to.ld_out + kLanes * v);
  } else if (to.accumulate) {
    float edge[kVecs * kLanes] = {};
    UNROLL for (int m = 0; m < kRows; ++m) {
      std::memcpy(edge, to.out + m * to.ld_out, to.columns * sizeof(float));
      UNROLL for (int v = 0; v < kVecs; ++v) acc[m][v] += load(edge + kLanes * v);
    }
  }
  if (to.relu) {
    UNROLL for (int m = 0; m < kRows; ++m) UNROLL for (int v = 0; v < kVecs; ++v) acc[m][v] = relu(acc[m][v]);
  }
  if (whole) {
    UNROLL for (int m = 0; m < kRows; ++m) UNROLL for (int v = 0; v < kVecs; ++v)
        store(to.out + m * to.ld_out + kLanes * v, acc[m][v]);
  } else {
    float edge[kVecs * kLanes];
    UNROLL for (int m = 0; m < kRows; ++m) {
      UNROLL for (int v = 0; v < kVecs; ++v) store(edge + kLanes * v, acc[m][v]);
      std::memcpy(to.out + m * to.ld_out, edge, to.columns * sizeof(float));
    }
  }
}

using TileFunction = void (*)(const Products&, const TileStore&);

template <bool kWide, int kVecs, int kRows>
constexpr TileFunction tile_function() {
  if constexpr (kRows <= tile_rows(kVecs) && rows_below(kRows, kVecs) == kRows) return tile<kRows, kVecs, kWide>;
  return nullptr;
}
template <bool kWide, int kVecs, int... kIndex>
constexpr std::array<TileFunction, sizeof...(kIndex)> tiles_of(std::integer_sequence<int, kIndex...>) {
  return {tile_function<kWide, kVecs, kIndex + 1>()...};
}
template <bool kWide, int... kIndex>
constexpr std::array<std::array<TileFunction, kTileSums>, sizeof...(kIndex)> all_tiles(
    std::integer_sequence<int, kIndex...>) {
  return {tiles_of<kWide, kIndex + 1>(std::make_integer_sequence<int, kTileSums>{})...};
}
constexpr auto kTiles = all_tiles<false>(std::make_integer_sequence<int, kMostVecs>{});
constexpr auto kWideTiles = all_tiles<true>(std::make_integer_sequence<int, kMostVecs>{});

}  // namespace

void run_tile(int rows, int vecs, const Products& products, const TileStore& store) {
  (products.wide ? kWideTiles : kTiles)[vecs - 1][rows - 1](products, store);
}

}  // namespace tensor::cpu
