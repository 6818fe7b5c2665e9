/// Matrices that are views of images, read four values at a time: the operands of the implicit GEMM.
///
/// A view names its free index (the row or column of the product that it stays on) and the summed index k.
/// `prepare(free)` does what does not depend on k; `load(at, k)` returns four values, along k where kAlongK, else along
/// the free index; 0 outside. Both indices that it is asked for are multiples of 4 along that direction.
#pragma once
#include "tensor/conv_shape.h"
#include "tensor/cuda/launch.h"

namespace tensor::cuda {

struct Quad {
  float v[4] = {};
};

/// from[0..3]: in one load when all four rows of 4 are aligned.
__device__ __forceinline__ Quad load_quad(const float* from, int64_t count, bool aligned) {
  Quad q;
  if (aligned && count >= 4) {
    struct alignas(16) Four {
      float v[4];
    };
    const Four four = *reinterpret_cast<const Four*>(from);
    for (int i = 0; i < 4; ++i) q.v[i] = four.v[i];
  } else {
    for (int i = 0; i < 4; ++i)
      if (i < count) q.v[i] = from[i];
  }
  return q;
}

/// values[rows, depth], k along the rows.
struct MatrixRows {
  static constexpr bool kAlongK = true;
  const float* values;
  int64_t rows, depth;
  struct At {
    const float* row;
  };
  __device__ At prepare(int64_t free) const { return {free < rows ? values + free * depth : nullptr}; }
  __device__ Quad load(const At& at, int64_t k) const {
    if (!at.row || k >= depth) return {};
    return load_quad(at.row + k, depth - k, depth % 4 == 0);
  }
};

/// values[depth, columns], the free index along the rows.
struct MatrixColumns {
  static constexpr bool kAlongK = false;
  const float* values;
  int64_t columns, depth;
  struct At {
    int64_t free;
  };
  __device__ At prepare(int64_t free) const { return {free}; }
  __device__ Quad load(const At& at, int64_t k) const {
    if (k >= depth || at.free >= columns) return {};
    return load_quad(values + k * columns + at.free, columns - at.free, columns % 4 == 0);
  }
};

/// Row = output pixel (n, p, q), k = (r, s, c): x[n, row(p,r), col(q,s), c].
struct PatchRows {
  static constexpr bool kAlongK = true;
  const float* x;
  ConvShape z;
  struct At {
    bool inside;
    int64_t n, row, column;
  };
  __device__ At prepare(int64_t pixel) const {
    const Coordinates at = coordinates(pixel, z.p, z.q, 1);
    return {pixel < z.n * z.p * z.q, at.n, z.row(at.h, 0), z.col(at.w, 0)};
  }
  __device__ const float* tap(const At& at, int64_t r, int64_t s) const {
    const int64_t row = at.row + r, column = at.column + s;
    const bool inside = row >= 0 && row < z.h && column >= 0 && column < z.w;
    return inside ? x + ((at.n * z.h + row) * z.w + column) * z.c : nullptr;
  }
  __device__ Quad load(const At& at, int64_t k) const {
    Quad q;
    const int64_t depth = z.r * z.s * z.c, together = z.c % 4 == 0 ? 4 : 1;
    for (int64_t i = 0; i < 4; i += together) {
      if (!at.inside || k + i >= depth) break;
      const Split channel = split(k + i, z.c), side = split(channel.quotient, z.s);
      if (const float* pixel = tap(at, side.quotient, side.remainder)) {
        if (together == 4) return load_quad(pixel + channel.remainder, 4, true);
        q.v[i] = pixel[channel.remainder];
      }
    }
    return q;
  }
};

/// Row = input pixel (n, h, w), k = (r, s, k'): dy[n, p, q, k'] of the window that reads the pixel through tap (r, s).
struct GradInputRows {
  static constexpr bool kAlongK = true;
  const float* dy;
  ConvShape z;
  struct At {
    bool inside;
    int64_t n, row, column;
  };
  __device__ At prepare(int64_t pixel) const {
    const Coordinates at = coordinates(pixel, z.h, z.w, 1);
    return {pixel < z.n * z.h * z.w, at.n, at.h + z.padding, at.w + z.padding};
  }
  __device__ Quad load(const At& at, int64_t k) const {
    Quad quad;
    const int64_t depth = z.r * z.s * z.k, together = z.k % 4 == 0 ? 4 : 1;
    for (int64_t i = 0; i < 4; i += together) {
      if (!at.inside || k + i >= depth) break;
      const Split channel = split(k + i, z.k), side = split(channel.quotient, z.s);
      const int64_t down = at.row - side.quotient, across = at.column - side.remainder;
      if (down < 0 || across < 0) continue;
      const Split p = split(down, z.stride), q = split(across, z.stride);
      if (p.remainder || q.remainder || p.quotient >= z.p || q.quotient >= z.q) continue;
      const float* pixel = dy + ((at.n * z.p + p.quotient) * z.q + q.quotient) * z.k + channel.remainder;
      if (together == 4) return load_quad(pixel, 4, true);
      quad.v[i] = *pixel;
    }
    return quad;
  }
};

/// Column = (r, s, c), k = output pixel: the patches transposed.
struct PatchColumns {
  static constexpr bool kAlongK = false;
  PatchRows patches;
  struct At {
    int64_t free;
  };
  __device__ At prepare(int64_t free) const { return {free}; }
  __device__ Quad load(const At& at, int64_t k) const { return patches.load(patches.prepare(k), at.free); }
};

}  // namespace tensor::cuda
