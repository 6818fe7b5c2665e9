/// Matrix product through the register tile: b is packed into panels once, then blocks of 96 rows of a are multiplied
/// by one panel at a time. a: [m][k], b: [k][n] (either may be transposed), y: [m][n].
#include "tensor/backend.h"
#include "tensor/cpu/conv/pack.h"
#include "tensor/cpu/workspace.h"

namespace tensor::cpu {

void matmul(const MatmulShape& z, const Tensor& a, const Tensor& b, const Tensor& y) {
  if (z.m * z.n == 0) return;
  // Rows of one item of work, and the depth of which a block of b stays in the second-level cache.
  constexpr int64_t kRows = 96, kDepth = 1536;
  const float *from = a.data<float>(), *right = b.data<float>();
  float* to = y.data<float>();
  const Workspace scratch(Panels::size(z.k, z.n));
  const Panels panels{scratch.data(), z.k, ColumnBlocks(z.n)};
  const int64_t step = z.transpose_b ? 1 : z.n;
  pack(panels, z.transpose_b ? z.k : 1, [=](int64_t i) { return right + i * step; });
  const int64_t a_row = z.transpose_a ? 1 : z.k, a_step = z.transpose_a ? z.m : 1, blocks = panels.blocks.count;
  parallel_chunks(divide_up(z.m, kRows) * blocks, [&](int64_t item) {
    const int64_t first = item / blocks * kRows, block = item % blocks, width = panels.blocks.vecs_of(block) * kLanes;
    int64_t done = 0;
    do {
      const int64_t depth = std::min(kDepth, z.k - done);
      run_rows(std::min(kRows, z.m - first), panels.blocks.vecs_of(block),
               {from + first * a_row + done * a_step, a_row, a_step, 0, panels.row(block, done), width, 0, depth, 1},
               {.out = to + first * z.n + panels.blocks.first(block),
                .ld_out = z.n,
                .columns = panels.blocks.width(block),
                .accumulate = done > 0});
      done += depth;
    } while (done < z.k);
  });
}

void add_matmul(Backend& b) { b.matmul = matmul; }

}  // namespace tensor::cpu
