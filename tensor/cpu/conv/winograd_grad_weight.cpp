/// Weight gradient by Winograd: for each value f of a tile, sum over tiles of Y[f][tile][k] X[f][tile][c].
/// X (image): [block of c][f][batch][wide_c], Y (dy): [block of k][f][batch][wide_k], a sum: [f][wide_k][wide_c].
#include "tensor/cpu/conv/winograd.h"
#include "tensor/cpu/conv/winograd_tiles.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/workspace.h"

namespace tensor::cpu {
namespace {

/// How the sum over tiles is ordered.
///   slices (not many channels): a fixed number of slices with sums of their own, added in order.
///   blocks (few tiles): each block of dw is finished in cache from all tiles.
///   chunks (between): all blocks' sums in memory, a chunk of tiles at a time, threads share the values f.
enum class Order { slices, blocks, chunks };

template <int M, int R>
struct GradWeightSchedule {
  static constexpr int kValues = Winograd<M, R>::kIn * Winograd<M, R>::kIn;
  static constexpr int64_t kSlices = 8;
  Tiles<M> tiles;
  int64_t c, k;
  ColumnBlocks c_blocks, k_blocks;
  int64_t wide_c, wide_k, count, plane;  // channels of the widest blocks; blocks of dw; floats of a sum's value f
  Order order;
  int64_t batch, copies, sums;  // tiles at hand; of X and Y; sums that exist at once
  int64_t plane_x, plane_y;     // the distance of two values f in X and in Y

  explicit GradWeightSchedule(const ConvShape& z) : tiles(z.n, z.h, z.w), c(z.c), k(z.k), c_blocks(z.c), k_blocks(z.k) {
    wide_c = c_blocks.vecs_of(0) * kLanes;
    wide_k = k_blocks.vecs_of(0) * kLanes;
    count = c_blocks.count * k_blocks.count;
    plane = wide_k * wide_c + 16;
    order = tiles.count >= 256 && c * k <= 128 * 128 ? Order::slices
            : tiles.count <= 256 && count > 1        ? Order::blocks
                                                     : Order::chunks;
    batch = order == Order::slices ? 36 : order == Order::blocks ? tiles.count : std::min<int64_t>(192, tiles.count);
    copies = order == Order::slices ? threads() : 1;
    sums = order == Order::slices ? kSlices * count : order == Order::blocks ? threads() : count;
    plane_x = batch * wide_c + 16;
    plane_y = batch * wide_k + 16;
  }
  int64_t x_size() const { return c_blocks.count * kValues * plane_x; }
  int64_t y_size() const { return k_blocks.count * kValues * plane_y; }
  int64_t sum_size() const { return kValues * plane; }
  int64_t scratch() const { return copies * (x_size() + y_size()) + sums * sum_size(); }
};

template <int M, int R>
void grad_weight(const GradWeightSchedule<M, R>& z, const float* dy, const ImageIn& x, float* dw) {
  constexpr int kValues = GradWeightSchedule<M, R>::kValues, I = Winograd<M, R>::kIn;
  const Workspace scratch(z.scratch());
  float* const x_all = scratch.data();
  float* const y_all = x_all + z.copies * z.x_size();
  float* const sums = y_all + z.copies * z.y_size();
  const int64_t total = z.tiles.count;
  const ImageIn dy_image = whole_image(dy, z.k);

  struct Pair {
    Planes x, y;
  };
  const auto planes = [&](int64_t copy) {
    return Pair{{x_all + copy * z.x_size(), z.wide_c, z.plane_x, kValues * z.plane_x, z.c_blocks},
                {y_all + copy * z.y_size(), z.wide_k, z.plane_y, kValues * z.plane_y, z.k_blocks}};
  };
  const auto fill = [&](const Pair& v, int64_t tile, int64_t to) {
    const TileCorner corner = z.tiles.at(tile);
    transform_tile<I, I>(Winograd<M, R>::input, x, z.tiles, corner, -(R / 2), v.x, to);
    transform_tile<M, I>(Winograd<M, R>::output_grad, dy_image, z.tiles, corner, 0, v.y, to);
  };
  // Block i of dw: k block i % k_blocks, c block i / k_blocks.
  const auto add = [&](const Pair& v, int64_t f, int64_t i, int64_t count, bool more, float* sum) {
    const int64_t bk = i % z.k_blocks.count, bc = i / z.k_blocks.count;
    run_rows(
        z.k_blocks.vecs_of(bk) * kLanes, z.c_blocks.vecs_of(bc),
        {v.y.at(bk, f, 0), 1, z.wide_k, 0, v.x.at(bc, f, 0), z.wide_c, 0, count, 1},
        {.out = sum + f * z.plane, .ld_out = z.wide_c, .columns = z.c_blocks.vecs_of(bc) * kLanes, .accumulate = more});
  };
  const auto write = [&](const float* sum, int64_t i) {
    const int64_t bk = i % z.k_blocks.count, bc = i / z.k_blocks.count;
    for (int64_t k = 0; k < z.k_blocks.vecs_of(bk) * kLanes; ++k)
      for (int64_t e = 0; e < z.c_blocks.vecs_of(bc) * kLanes; e += kLanes) {
        float* to = dw + (z.k_blocks.first(bk) + k) * R * R * z.c + z.c_blocks.first(bc) + e;
        both_axes<I, R>(
            Winograd<M, R>::weight_grad,
            [&](int a, int b) { return load(sum + (a * I + b) * z.plane + k * z.wide_c + e); },
            [&](int a, int b, Vec o) { store(to + (a * R + b) * z.c, o); });
      }
  };

  if (z.order == Order::slices) {
    parallel_chunks(z.kSlices, [&](int64_t slice) {
      const Pair v = planes(thread_index());
      const int64_t first = slice * total / z.kSlices, last = (slice + 1) * total / z.kSlices;
      for (int64_t t0 = first; t0 < last; t0 += z.batch) {
        const int64_t count = std::min(z.batch, last - t0);
        for (int64_t t = 0; t < count; ++t) fill(v, t0 + t, t);
        for (int64_t f = 0; f < kValues; ++f)
          for (int64_t i = 0; i < z.count; ++i)
            add(v, f, i, count, t0 > first, sums + (slice * z.count + i) * z.sum_size());
      }
    });
    const int64_t size = z.count * z.sum_size();
    parallel_for(size, 4096, [&](int64_t first, int64_t last) {
      for (int64_t slice = 1; slice < z.kSlices; ++slice)
        for (int64_t e = first; e < last; ++e) sums[e] += sums[slice * size + e];
    });
  } else {
    for (int64_t t0 = 0; t0 < total; t0 += z.batch) {
      const Pair v = planes(0);
      const int64_t count = std::min(z.batch, total - t0);
      parallel_chunks(count, [&](int64_t t) { fill(v, t0 + t, t); });
      if (z.order == Order::blocks)
        parallel_chunks(z.count, [&](int64_t i) {
          float* sum = sums + thread_index() * z.sum_size();
          for (int64_t f = 0; f < kValues; ++f) add(v, f, i, count, false, sum);
          write(sum, i);
        });
      else
        parallel_chunks(kValues, [&](int64_t f) {
          for (int64_t i = 0; i < z.count; ++i) add(v, f, i, count, t0 > 0, sums + i * z.sum_size());
        });
    }
  }
  if (z.order != Order::blocks) parallel_chunks(z.count, [&](int64_t i) { write(sums + i * z.sum_size(), i); });
}

}  // namespace

template <int M, int R>
int64_t winograd_grad_weight_scratch(const ConvShape& z) {
  return GradWeightSchedule<M, R>(z).scratch();
}
template <int M, int R>
void winograd_grad_weight(const ConvShape& z, const float* dy, const ImageIn& x, float* dw) {
  grad_weight<M, R>(GradWeightSchedule<M, R>(z), dy, x, dw);
}

template int64_t winograd_grad_weight_scratch<2, 3>(const ConvShape&);
template void winograd_grad_weight<2, 3>(const ConvShape&, const float*, const ImageIn&, float*);
template int64_t winograd_grad_weight_scratch<4, 3>(const ConvShape&);
template void winograd_grad_weight<4, 3>(const ConvShape&, const float*, const ImageIn&, float*);
template int64_t winograd_grad_weight_scratch<4, 5>(const ConvShape&);
template void winograd_grad_weight<4, 5>(const ConvShape&, const float*, const ImageIn&, float*);

}  // namespace tensor::cpu
