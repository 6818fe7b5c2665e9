/// The weight gradient as a sum over bands, in a fixed number of slices that are added in order.
/// x: [n][h][w][c], dy: [n][p][q][k], dw: [k][r][s][c]; partials: [slices][k][r][run] with run = s c.
#include "tensor/cpu/conv/band.h"
#include "tensor/cpu/conv/direct.h"
#include "tensor/cpu/conv/tile.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/workspace.h"

namespace tensor::cpu {
namespace {

struct WeightGrad {
  ConvShape z;
  Windows windows;
  int64_t run, weights, slices, groups;
  bool turned;  // few taps and channels in a filter row: tiles are taps x k instead of k x taps

  WeightGrad(const ConvShape& shape, const float* x)
      : z(shape),
        windows{x, z.n, z.h, z.w, z.c, z.r, z.s, z.p, z.q, z.stride, -z.padding, -z.padding, z.k},
        run(z.s * z.c),
        weights(z.k * z.r * run),
        turned(run < kLanes && z.k % kLanes == 0) {
    constexpr int64_t kMostPartials = 4 << 20;
    slices = std::clamp<int64_t>(kMostPartials / weights, 1, std::clamp<int64_t>(z.n * windows.bands(), 1, 16));
    groups = turned ? 1 : std::clamp<int64_t>(16 / slices, 1, divide_up(z.k, kTileSums));
  }
  int64_t partials() const { return slices > 1 || turned ? round_up(slices * weights, 64) : 0; }
};

/// Adds one band to out: [k][r][run], or [r][run][k] when turned; `more` adds to what is there.
void add_band(const WeightGrad& g, const Band& band, const float* dy, int64_t k_first, int64_t k_last, bool more,
              float* out) {
  const ConvShape& z = g.z;
  dy += (band.image * z.p + band.first) * z.q * z.k;
  for (int64_t r = 0; r < z.r; ++r) {
    const float* x = band.data + r * band.pitch;
    const ColumnBlocks blocks(g.turned ? z.k : g.run);
    for (int64_t b = 0; b < blocks.count; ++b) {
      const int64_t first = blocks.first(b);
      if (g.turned)
        run_rows(g.run, blocks.vecs_of(b),
                 {x, 1, z.stride * z.c, z.stride * band.pitch, dy + first, z.k, z.q * z.k, z.q, band.rows},
                 {.out = out + r * g.run * z.k + first, .ld_out = z.k, .columns = blocks.width(b), .accumulate = more});
      else
        run_rows(k_last - k_first, blocks.vecs_of(b),
                 {dy + k_first, 1, z.k, z.q * z.k, x + first, z.stride * z.c, z.stride * band.pitch, z.q, band.rows},
                 {.out = out + (k_first * z.r + r) * g.run + first,
                  .ld_out = z.r * g.run,
                  .columns = blocks.width(b),
                  .accumulate = more});
    }
  }
}

}  // namespace

int64_t direct_grad_weight_scratch(const ConvShape& z) {
  const WeightGrad g(z, nullptr);
  return g.partials() + threads() * g.windows.scratch();
}

void direct_grad_weight(const ConvShape& z, const float* dy, const float* x, float* dw) {
  const WeightGrad g(z, x);
  const Workspace scratch(direct_grad_weight_scratch(z));
  float* partials = g.partials() ? scratch.data() : dw;
  float* bands = scratch.data() + g.partials();
  const int64_t total = z.n * g.windows.bands();
  parallel_chunks(g.slices * g.groups, [&](int64_t item) {
    const int64_t slice = item / g.groups, group = item % g.groups;
    const int64_t first = slice * total / g.slices, last = (slice + 1) * total / g.slices;
    for (int64_t i = first; i < last; ++i) {
      const Band band(g.windows, i, bands + thread_index() * g.windows.scratch());
      add_band(g, band, dy, group * z.k / g.groups, (group + 1) * z.k / g.groups, i > first,
               partials + slice * g.weights);
    }
  });
  if (!g.partials()) return;
  parallel_for(z.k, divide_up(4096, z.r * g.run), [&](int64_t first, int64_t last) {
    const int64_t row = z.r * g.run;
    for (int64_t k = first; k < last; ++k)
      for (int64_t i = 0; i < row; ++i) {
        const int64_t at = g.turned ? i * z.k + k : k * row + i;
        double sum = partials[at];
        for (int64_t slice = 1; slice < g.slices; ++slice) sum += partials[slice * g.weights + at];
        dw[k * row + i] = float(sum);
      }
  });
}

}  // namespace tensor::cpu
