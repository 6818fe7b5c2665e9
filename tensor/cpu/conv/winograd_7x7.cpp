/// 7x7 kernels as four neighbouring 4x4 kernels.
/// V (image): [f][two rows of tiles][width + 1][c], U: [block of k][f][part][c][width of the block],
/// M: [f][width][block], sums of the weight gradient: [f][row of parts][k][column of parts][c].
#include "tensor/cpu/conv/winograd_7x7.h"

#include "tensor/cpu/conv/winograd_tiles.h"
#include "tensor/cpu/conv/winograd_weight.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/workspace.h"

namespace tensor::cpu {
namespace {

using Line = Winograd<4, 4>;
constexpr int kIn = Line::kIn, kValues = kIn * kIn;

ColumnBlocks one_block(int64_t columns) {
  ColumnBlocks all(columns);
  all.count = 1;
  return all;
}

/// The image's tiles in strips: parts of a row of tiles so short that what belongs to one stays in a core's cache.
struct Strips {
  Tiles<4> tiles;
  int64_t c, across, width, total, row, plane;  // strips side by side, tiles of one; of V: a row of tiles, a value

  Strips(int64_t n, int64_t h, int64_t w, int64_t c_) : tiles(n, h, w), c(c_) {
    across = divide_up(tiles.across, 32);
    width = divide_up(tiles.across, across);
    total = n * across * tiles.down;
    row = (width + 1) * c;
    plane = 2 * row + 16;
  }
  /// Strip `i`, those below one another first.
  TileCorner at(int64_t i) const {
    return {i / (tiles.down * across), i % tiles.down * 4, i / tiles.down % across * width * 4};
  }
  int64_t tiles_at(const TileCorner& strip) const { return std::min(width, tiles.across - strip.column / 4); }

  /// Calls f(strip, upper, lower) for strips [first, last): V's rows of the strip's tiles and of those below them, each
  /// with one tile more at its right. Value f lies f * plane further. Every row is transformed once.
  template <class F>
  void for_each(int64_t first, int64_t last, const float* x, float* v, F f) const {
    const ImageIn image = whole_image(x, c);
    const auto fill = [&](TileCorner corner, float* to) {
      const Planes planes{to, c, plane, 0, one_block(c)};
      for (int64_t t = 0; t <= width; ++t, corner.column += 4)
        transform_tile<kIn, kIn>(Line::input, image, tiles, corner, -3, planes, t);
    };
    float *upper = v, *lower = v + row;
    for (int64_t i = first; i < last; ++i, std::swap(upper, lower)) {
      const TileCorner strip = at(i);
      if (i == first || strip.row == 0) fill(strip, upper);
      fill({strip.image, strip.row + 4, strip.column}, lower);
      f(strip, upper, lower);
    }
  }
};

struct Correlation {
  Strips strips;
  int64_t k, widest, plane_m;
  ColumnBlocks blocks;
  Correlation(int64_t n, int64_t h, int64_t w, int64_t c, int64_t k_) : strips(n, h, w, c), k(k_), blocks(k_) {
    widest = blocks.vecs_of(0) * kLanes;
    plane_m = strips.width * widest + 16;
  }
  int64_t u_size() const { return kValues * 4 * strips.c * k; }
  int64_t scratch() const { return u_size() + threads() * kValues * (strips.plane + plane_m); }
};

void correlate_7x7(const Correlation& z, const float* x, const FilterBank& filters, const float* bias, bool relu,
                   float* y) {
  const Workspace scratch(z.scratch());
  const int64_t c = z.strips.c, c_vecs = c / kLanes;
  const ImageOut result = whole_image(y, z.k);
  // U[block of k][value][part][c][k]
  float* const u_all = scratch.data();
  parallel_chunks(z.blocks.count * 4 * c_vecs, [&](int64_t i) {
    const int64_t b = i / (4 * c_vecs), part = i / c_vecs % 4, c0 = i % c_vecs * kLanes;
    const int64_t width = z.blocks.vecs_of(b) * kLanes;
    transform_weight<4, 4>(filters, part / 2 * 4, part % 2 * 4, z.blocks.first(b), width, c0, c0 + kLanes,
                           u_all + kValues * 4 * c * z.blocks.first(b) + (part * c + c0) * width, 4 * c * width);
  });
  parallel_for(z.strips.total, 8, [&](int64_t first, int64_t last) {
    float* const v = u_all + z.u_size() + thread_index() * kValues * (z.strips.plane + z.plane_m);
    float* const m = v + kValues * z.strips.plane;
    z.strips.for_each(first, last, x, v, [&](TileCorner strip, const float* upper, const float* lower) {
      const int64_t count = z.strips.tiles_at(strip);
      for (int64_t b = 0; b < z.blocks.count; ++b) {
        const int64_t k0 = z.blocks.first(b), width = z.blocks.vecs_of(b) * kLanes;
        const float* u = u_all + kValues * 4 * c * k0;
        // A run is a tile and its right neighbour, whose channels follow; the second run lies below.
        for (int64_t f = 0; f < kValues; ++f)
          run_rows(
              count, z.blocks.vecs_of(b),
              {upper + f * z.strips.plane, c, 1, lower - upper, u + f * 4 * c * width, width, 2 * c * width, 2 * c, 2},
              {.out = m + f * z.plane_m, .ld_out = width, .columns = width});
        const auto write = relu ? write_tile<4, 4, false, true> : write_tile<4, 4, false, false>;
        TileCorner corner = strip;
        for (int64_t t = 0; t < count; ++t, corner.column += 4)
          write(m + t * width, z.plane_m, k0, width, bias ? bias + k0 : nullptr, z.strips.tiles, corner, result);
      }
    });
  });
}

struct WeightGrad7x7 {
  static constexpr int64_t kSlices = 8;
  Strips strips;
  int64_t k, plane_y;
  explicit WeightGrad7x7(const ConvShape& z) : strips(z.n, z.h, z.w, z.c), k(z.k) { plane_y = strips.width * k + 16; }
  int64_t sum_size() const { return kValues * k * 4 * strips.c; }  // [value][row of parts][k][column of parts, c]
  int64_t scratch() const { return kSlices * sum_size() + threads() * kValues * (strips.plane + plane_y); }
};

}  // namespace

int64_t winograd_7x7_conv_scratch(const ConvShape& z) { return Correlation(z.n, z.h, z.w, z.c, z.k).scratch(); }
int64_t winograd_7x7_grad_input_scratch(const ConvShape& z) { return Correlation(z.n, z.h, z.w, z.k, z.c).scratch(); }
int64_t winograd_7x7_grad_weight_scratch(const ConvShape& z) { return WeightGrad7x7(z).scratch(); }

void winograd_7x7_conv(const ConvShape& z, const float* x, const float* w, const float* b, Activation activation,
                       float* y) {
  correlate_7x7(Correlation(z.n, z.h, z.w, z.c, z.k), x, {w, 7, z.c, z.k, false}, b, activation == Activation::relu, y);
}
void winograd_7x7_grad_input(const ConvShape& z, const float* dy, const float* w, const float* b, float* dx) {
  correlate_7x7(Correlation(z.n, z.h, z.w, z.k, z.c), dy, {w, 7, z.k, z.c, true}, b, false, dx);
}

void winograd_7x7_grad_weight(const ConvShape& shape, const float* dy, const float* x, float* dw) {
  const WeightGrad7x7 z(shape);
  const int64_t c = z.strips.c, k = z.k, size = z.sum_size();
  const ColumnBlocks blocks(2 * c);
  const Workspace scratch(z.scratch());
  float* const sums = scratch.data();
  const ImageIn dy_image = whole_image(dy, k);
  parallel_chunks(z.kSlices, [&](int64_t slice) {
    float* const v = sums + z.kSlices * size + thread_index() * kValues * (z.strips.plane + z.plane_y);
    const Planes y{v + kValues * z.strips.plane, k, z.plane_y, 0, one_block(k)};
    const int64_t begin = slice * z.strips.total / z.kSlices, end = (slice + 1) * z.strips.total / z.kSlices;
    bool more = false;
    z.strips.for_each(begin, end, x, v, [&](TileCorner strip, const float* upper, const float* lower) {
      const int64_t count = z.strips.tiles_at(strip);
      TileCorner corner = strip;
      for (int64_t t = 0; t < count; ++t, corner.column += 4)
        transform_tile<4, kIn>(Line::output_grad, dy_image, z.strips.tiles, corner, 0, y, t);
      float* sum = sums + slice * size;
      for (int64_t f = 0; f < kValues; ++f)
        for (const float* row : {upper, lower}) {
          for (int64_t b = 0; b < blocks.count; ++b)
            run_rows(k, blocks.vecs_of(b),
                     {y.at(0, f, 0), 1, k, 0, row + f * z.strips.plane + blocks.first(b), c, 0, count, 1},
                     {.out = sum + blocks.first(b), .ld_out = 2 * c, .columns = blocks.width(b), .accumulate = more});
          sum += k * 2 * c;
        }
      more = true;
    });
    if (!more) std::fill_n(sums + slice * size, size, 0.f);
  });
  parallel_for(size, 4096, [&](int64_t first, int64_t last) {
    for (int64_t slice = 1; slice < z.kSlices; ++slice)
      for (int64_t e = first; e < last; ++e) sums[e] += sums[slice * size + e];
  });
  parallel_chunks(k, [&](int64_t filter) {
    for (int64_t part = 0; part < 4; ++part)
      for (int64_t e = 0; e < c; e += kLanes) {
        const int64_t row = part / 2 * 4, column = part % 2 * 4;
        const float* from = sums + (part / 2 * k + filter) * 2 * c + part % 2 * c + e;
        both_axes<kIn, 4>(
            Line::weight_grad, [&](int i, int j) { return load(from + (i * kIn + j) * 4 * k * c); },
            [&](int i, int j, Vec o) {
              if (row + i < 7 && column + j < 7) store(dw + ((filter * 7 + row + i) * 7 + column + j) * c + e, o);
            });
      }
  });
}

}  // namespace tensor::cpu
