/// Correlation by bands of rows: see band.h for the geometry and tile.h for the inner loop.
#include "tensor/cpu/conv/correlate.h"

#include "tensor/cpu/conv/transpose.h"
#include "tensor/cpu/parallel.h"

namespace tensor::cpu {
namespace {

/// Products summed before the next part of the filter: a panel of this depth and full width stays in a 1 MB
/// second-level cache.
constexpr int64_t kDepth = 1536;

}  // namespace

void correlate(const Windows& z, const Outputs& to, const Panels& filters, const float* bias, Activation activation,
               float* scratch) {
  const int64_t bands = z.n * z.bands(), run = z.s * z.c, blocks = filters.blocks.count;
  const bool whole = z.depth() <= kDepth;
  const int64_t parts_of_run = whole ? 1 : divide_up(run, kDepth), parts = whole ? 1 : z.r * parts_of_run;
  // Few bands: the blocks of columns are shared out too.
  const int64_t groups = std::clamp<int64_t>(16 / std::max<int64_t>(1, bands), 1, blocks);
  parallel_chunks(bands * groups, [&](int64_t item) {
    const Band band(z, item / groups, scratch + thread_index() * z.scratch());
    const int64_t first = item % groups * blocks / groups, last = (item % groups + 1) * blocks / groups;
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t filter_row = part / parts_of_run, begin = whole ? 0 : part % parts_of_run * kDepth;
      const int64_t depth = std::min(run - begin, whole ? run : kDepth);
      for (int64_t b = first; b < last; ++b) {
        const int64_t width = filters.blocks.vecs_of(b) * kLanes;
        for (int64_t p = 0; p < band.rows; ++p) {
          const Products products{.a = band.data + (p * z.stride + filter_row) * band.pitch + begin,
                                  .a_row = z.stride * z.c,
                                  .a_step = 1,
                                  .a_run = band.pitch,
                                  .b = filters.row(b, filter_row * run + begin),
                                  .b_step = width,
                                  .b_run = run * width,
                                  .depth = depth,
                                  .runs = whole ? z.r : 1};
          const TileStore store{
              .out = to.y + band.image * to.image + (band.first + p) * to.row + filters.blocks.first(b),
              .ld_out = to.pixel,
              .columns = filters.blocks.width(b),
              .bias = part == 0 ? bias + filters.blocks.first(b) : nullptr,
              .accumulate = part > 0,
              .relu = activation == Activation::relu && part == parts - 1};
          run_rows(z.q, filters.blocks.vecs_of(b), products, store);
        }
      }
    }
  });
}

bool few_channels(const Windows& z, int64_t channels) { return channels * 8 <= kLanes && z.s * z.c >= kLanes; }

void correlate_few(const Windows& z, const Outputs& to, const float* filters, const float* bias, Activation activation,
                   float* scratch) {
  const int64_t run = z.s * z.c, vectors = run / kLanes * kLanes;
  parallel_chunks(z.n * z.bands(), [&](int64_t item) {
    const Band band(z, item, scratch + thread_index() * z.scratch());
    for (int64_t p = 0; p < band.rows; ++p)
      for (int64_t k = 0; k < to.channels; ++k)
        for (int64_t q0 = 0; q0 < z.q; q0 += kLanes) {
          const int64_t count = std::min<int64_t>(kLanes, z.q - q0);
          Vec sums[kLanes] = {};
          float rest[kLanes];
          for (int64_t i = 0; i < count; ++i) {
            rest[i] = bias[k];
            for (int64_t r = 0; r < z.r; ++r) {
              const float* a = band.data + (p * z.stride + r) * band.pitch + (q0 + i) * z.stride * z.c;
              const float* f = filters + (k * z.r + r) * run;
              for (int64_t e = 0; e < vectors; e += kLanes) sums[i] += load(a + e) * load(f + e);
              for (int64_t e = vectors; e < run; ++e) rest[i] += a[e] * f[e];
            }
          }
          float sum[kLanes];
          store(sum, sum_of_each(sums));
          float* y = to.y + band.image * to.image + (band.first + p) * to.row + q0 * to.pixel + k;
          for (int64_t i = 0; i < count; ++i) {
            const float v = rest[i] + sum[i];
            y[i * to.pixel] = activation == Activation::relu && v < 0 ? 0 : v;
          }
        }
  });
}

}  // namespace tensor::cpu
