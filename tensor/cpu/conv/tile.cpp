/// The sizes of the register tile that exist, and the choice among them.
#include "tensor/cpu/conv/tile.h"

#include <array>
#include <cstring>
#include <utility>

namespace tensor::cpu {
namespace {

template <int kRows, int kVecs>
void tile(const Products& z, const TileStore& to) {
  Vec acc[kRows][kVecs];
  UNROLL for (int v = 0; v < kVecs; ++v) {
    const Vec start = to.bias ? load(to.bias + kLanes * v) : Vec{};
    UNROLL for (int m = 0; m < kRows; ++m) acc[m][v] = start;
  }
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

template <int kVecs, int kRows>
constexpr TileFunction tile_function() {
  if constexpr (kRows <= tile_rows(kVecs) && rows_below(kRows, kVecs) == kRows) return tile<kRows, kVecs>;
  return nullptr;
}
template <int kVecs, int... kIndex>
constexpr std::array<TileFunction, sizeof...(kIndex)> tiles_of(std::integer_sequence<int, kIndex...>) {
  return {tile_function<kVecs, kIndex + 1>()...};
}
template <int... kIndex>
constexpr std::array<std::array<TileFunction, kTileSums>, sizeof...(kIndex)> all_tiles(
    std::integer_sequence<int, kIndex...>) {
  return {tiles_of<kIndex + 1>(std::make_integer_sequence<int, kTileSums>{})...};
}
constexpr auto kTiles = all_tiles(std::make_integer_sequence<int, kMostVecs>{});

}  // namespace

void run_tile(int rows, int vecs, const Products& products, const TileStore& store) {
  kTiles[vecs - 1][rows - 1](products, store);
}

}  // namespace tensor::cpu
