/// Matrices cut into panels: blocks of columns in which a row is consecutive, as the register tile reads them.
#pragma once
#include <cstdint>
#include <cstring>

#include "tensor/cpu/conv/tile.h"
#include "tensor/cpu/parallel.h"

namespace tensor::cpu {

/// A [depth, columns] matrix, block after block of ColumnBlocks, each [depth][its vectors]; columns that do not exist
/// are zero.
struct Panels {
  float* data;
  int64_t depth;
  ColumnBlocks blocks;

  static int64_t padded(int64_t columns) { return round_up(columns, kLanes); }
  /// Floats that a [depth, columns] matrix takes.
  static int64_t size(int64_t depth, int64_t columns) { return depth * padded(columns); }
  /// Row i of block b.
  float* row(int64_t b, int64_t i) const { return data + blocks.first(b) * depth + i * blocks.vecs_of(b) * kLanes; }
};

/// Packs: column `j` of row `i` is row(i)[j * column_step].
template <class Row>
void pack(const Panels& to, int64_t column_step, const Row& row) {
  constexpr int64_t kRows = 64;
  const int64_t parts = divide_up(to.depth, kRows);
  parallel_chunks(to.blocks.count * parts, [&](int64_t chunk) {
    const int64_t b = chunk / parts, first = chunk % parts * kRows, last = std::min(first + kRows, to.depth);
    const int64_t width = to.blocks.width(b), padded = to.blocks.vecs_of(b) * kLanes;
    for (int64_t i = first; i < last; ++i) {
      const float* from = row(i) + to.blocks.first(b) * column_step;
      float* out = to.row(b, i);
      if (column_step == 1)
        std::memcpy(out, from, width * sizeof(float));
      else
        for (int64_t j = 0; j < width; ++j) out[j] = from[j * column_step];
      for (int64_t j = width; j < padded; ++j) out[j] = 0;
    }
  });
}

}  // namespace tensor::cpu
