/// Forward pass and input gradient by Winograd.
/// U (weight): [block of k][f][c][width], V (image): [f][batch][c], M (products): [f][batch][width]: f counts the I x I
/// values of a transformed tile, batch the tiles at hand, width the outputs of one block of k.
#include "tensor/cpu/conv/winograd.h"

#include "tensor/cpu/conv/winograd_tiles.h"
#include "tensor/cpu/conv/winograd_weight.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/past_caches.h"
#include "tensor/cpu/workspace.h"

namespace tensor::cpu {
namespace {

/// One run of the algorithm from c to k channels.
///   by tiles (many tiles): U is made once; each thread carries `batch` tiles through input, products and output, so
///     few that V and M stay in its cache.
///   by channels (few tiles, many channels): all threads fill V, then each transforms one block of k of the weight and
///     uses it for all tiles: U, several times the weight, never exists in memory.
template <int M, int R>
struct Schedule {
  static constexpr int kValues = Winograd<M, R>::kIn * Winograd<M, R>::kIn;
  Tiles<M> tiles;
  int64_t c, k;
  ColumnBlocks blocks;
  int widest;
  bool by_tiles, in_place;   // M over V: the product of one block of k reads each row of V before it writes it
  int64_t batch, ld, ld_m;   // tiles at hand; the distance of two tiles in V and in M
  int64_t plane_v, plane_m;  // the distance of two values f in V and in M
  int64_t c_block;           // channels of U that are made at once
  int64_t u_size;            // floats of one U
  int64_t u_count, v_count;  // copies: one for all threads, or one a thread

  Schedule(int64_t n, int64_t h, int64_t w, int64_t c_, int64_t k_) : tiles(n, h, w), c(c_), k(k_), blocks(k_) {
    widest = blocks.vecs_of(0) * kLanes;
    by_tiles = tiles.count >= (c * k <= 128 * 128 ? 128 : 300) || blocks.count < 2;
    const int64_t full = tile_rows(blocks.vecs_of(0));
    const int64_t best = !by_tiles ? 256 : M == 2 ? 48 : full == 24 ? 48 : full > 8 ? 24 : c < 128 ? 18 : 48;
    batch = std::min(round_up(best, full), tiles.count);
    in_place = by_tiles && blocks.count == 1;
    ld = in_place ? std::max(c, k) : c + 16;
    ld_m = in_place ? ld : widest;
    plane_v = batch * ld + 16;
    plane_m = batch * ld_m + 16;
    c_block = by_tiles ? c : std::min<int64_t>(c, tiles.count <= 32 ? 64 : 128);
    u_size = by_tiles ? u_block(blocks.count) : kValues * plane_u(0);
    u_count = by_tiles ? 1 : threads();
    v_count = by_tiles ? threads() : 1;
  }
  /// U of block b: where it starts when all are made, and the distance of its values. Not a power of two, so that the
  /// values of one weight do not all fall into the same set of a cache.
  int64_t plane_u(int64_t b) const { return c_block * blocks.vecs_of(b) * kLanes + kLanes; }
  int64_t u_block(int64_t b) const { return kValues * (c * blocks.first(b) + b * kLanes); }
  int64_t scratch() const {
    return u_count * u_size + kValues * (v_count * plane_v + (in_place ? 0 : threads() * plane_m));
  }
};

template <int M, int R>
void convolve(const Schedule<M, R>& z, const ImageIn& x, const float* w, bool turned, const float* bias, bool relu,
              const ImageOut& y) {
  constexpr int I = Winograd<M, R>::kIn, kValues = I * I;
  const FilterBank filters{w, R, z.c, z.k, turned};
  const Workspace scratch(z.scratch());
  float* const u_all = scratch.data();
  float* const v_all = u_all + z.u_count * z.u_size;
  float* const m_all = v_all + kValues * z.v_count * z.plane_v;
  const int64_t total = z.tiles.count;
  bool past = z.tiles.n * z.tiles.h * z.tiles.w * z.k * 4 > kPastCachesBytes;
  for (const auto& part : y) past = past && reinterpret_cast<uintptr_t>(part.data) % 64 == 0;
  const auto planes = [&](int64_t which) {
    ColumnBlocks all(z.c);
    all.count = 1;
    return Planes{v_all + which * kValues * z.plane_v, z.ld, z.plane_v, 0, all};
  };
  const auto fill = [&](const Planes& v, int64_t tile, int64_t to) {
    transform_tile<I, I>(Winograd<M, R>::input, x, z.tiles, z.tiles.at(tile), -(R / 2), v, to);
  };
  const auto multiply = [&](const Planes& v, int64_t b, int64_t first_c, int64_t depth, int64_t count, const float* u,
                            float* m) {
    const int64_t width = z.blocks.vecs_of(b) * kLanes;
    for (int64_t f = 0; f < kValues; ++f)
      run_rows(count, z.blocks.vecs_of(b),
               {v.at(0, f, 0) + first_c, z.ld, 1, 0, u + f * z.plane_u(b), width, 0, depth, 1},
               {.out = m + f * z.plane_m, .ld_out = z.ld_m, .columns = width, .accumulate = first_c > 0});
  };
  const auto write = [&](const float* m, int64_t b, int64_t first, int64_t count) {
    const int64_t k0 = z.blocks.first(b), width = z.blocks.vecs_of(b) * kLanes;
    const auto to = past ? (relu ? write_tile<M, R, true, true> : write_tile<M, R, true, false>)
                         : (relu ? write_tile<M, R, false, true> : write_tile<M, R, false, false>);
    for (int64_t t = 0; t < count; ++t)
      to(m + t * z.ld_m, z.plane_m, k0, width, bias ? bias + k0 : nullptr, z.tiles, z.tiles.at(first + t), y);
  };
  const auto own_m = [&] { return (z.in_place ? v_all : m_all) + thread_index() * kValues * z.plane_m; };

  if (z.by_tiles) {
    const int64_t c_vecs = z.c / kLanes;
    parallel_chunks(z.blocks.count * c_vecs, [&](int64_t i) {
      const int64_t b = i / c_vecs, c0 = i % c_vecs * kLanes, width = z.blocks.vecs_of(b) * kLanes;
      transform_weight<M, R>(filters, 0, 0, z.blocks.first(b), width, c0, c0 + kLanes,
                             u_all + z.u_block(b) + c0 * width, z.plane_u(b));
    });
    parallel_for(total, z.batch, [&](int64_t first, int64_t last) {
      const Planes v = planes(thread_index());
      for (int64_t t = first; t < last; ++t) fill(v, t, t - first);
      for (int64_t b = 0; b < z.blocks.count; ++b) {
        multiply(v, b, 0, z.c, last - first, u_all + z.u_block(b), own_m());
        write(own_m(), b, first, last - first);
      }
    });
    return;
  }
  for (int64_t first = 0; first < total; first += z.batch) {
    const int64_t count = std::min(z.batch, total - first);
    const Planes v = planes(0);
    parallel_chunks(count, [&](int64_t t) { fill(v, first + t, t); });
    parallel_chunks(z.blocks.count, [&](int64_t b) {
      float* u = u_all + thread_index() * z.u_size;
      for (int64_t c0 = 0; c0 < z.c; c0 += z.c_block) {
        const int64_t depth = std::min(z.c_block, z.c - c0), width = z.blocks.vecs_of(b) * kLanes;
        transform_weight<M, R>(filters, 0, 0, z.blocks.first(b), width, c0, c0 + depth, u, z.plane_u(b));
        multiply(v, b, c0, depth, count, u, own_m());
      }
      write(own_m(), b, first, count);
    });
  }
}

}  // namespace

template <int M, int R>
int64_t winograd_conv_scratch(const ConvShape& z) {
  return Schedule<M, R>(z.n, z.h, z.w, z.c, z.k).scratch();
}
template <int M, int R>
int64_t winograd_grad_input_scratch(const ConvShape& z) {
  return Schedule<M, R>(z.n, z.h, z.w, z.k, z.c).scratch();
}
template <int M, int R>
void winograd_conv(const ConvShape& z, const ImageIn& x, const float* w, const float* b, Activation activation,
                   float* y) {
  convolve<M, R>(Schedule<M, R>(z.n, z.h, z.w, z.c, z.k), x, w, false, b, activation == Activation::relu,
                 whole_image(y, z.k));
}
template <int M, int R>
void winograd_grad_input(const ConvShape& z, const float* dy, const float* w, const float* b, const ImageOut& dx) {
  convolve<M, R>(Schedule<M, R>(z.n, z.h, z.w, z.k, z.c), whole_image(dy, z.k), w, true, b, false, dx);
}

template int64_t winograd_conv_scratch<2, 3>(const ConvShape&);
template int64_t winograd_grad_input_scratch<2, 3>(const ConvShape&);
template void winograd_conv<2, 3>(const ConvShape&, const ImageIn&, const float*, const float*, Activation, float*);
template void winograd_grad_input<2, 3>(const ConvShape&, const float*, const float*, const float*, const ImageOut&);
template int64_t winograd_conv_scratch<4, 3>(const ConvShape&);
template int64_t winograd_grad_input_scratch<4, 3>(const ConvShape&);
template void winograd_conv<4, 3>(const ConvShape&, const ImageIn&, const float*, const float*, Activation, float*);
template void winograd_grad_input<4, 3>(const ConvShape&, const float*, const float*, const float*, const ImageOut&);
template int64_t winograd_conv_scratch<4, 5>(const ConvShape&);
template int64_t winograd_grad_input_scratch<4, 5>(const ConvShape&);
template void winograd_conv<4, 5>(const ConvShape&, const ImageIn&, const float*, const float*, Activation, float*);
template void winograd_grad_input<4, 5>(const ConvShape&, const float*, const float*, const float*, const ImageOut&);

}  // namespace tensor::cpu
