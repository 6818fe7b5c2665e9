/// Matrices that are views of images, brought tile by tile to shared memory: the operands of the implicit GEMM.
///
/// A view names its free index (the row or column of the product that it stays on) and the summed index k. Its Reader
/// is one thread's part in the reading of a tile of kRows free indices by kTileDepth k: it starts at the block's first
/// k and each `fetch` starts the copies of one tile and moves on. Values outside are 0. Views along k lie [free][k] in
/// shared memory, the others [k][free]; rows are padded so that a warp's fragment touches every bank once. Four values
/// travel together, so channels are multiples of 4; offsets are 32-bit.
#pragma once
#include "tensor/conv_shape.h"
#include "tensor/cuda/async_copy.h"
#include "tensor/cuda/kernels.h"
#include "tensor/cuda/launch.h"

namespace tensor::cuda {

constexpr int kTileDepth = 16;

/// Floats from one row of a tile to the next: reads are 4 k by 8 rows of single floats in TF32; in bf16 pairs along k,
/// or rows 2 k apart.
template <MmaType kType, class View, int kRows>
constexpr int kTileStride = View::kAlongK ? (kType == MmaType::tf32 ? 20 : 24)
                                          : kRows + (kType == MmaType::tf32 ? 8 : 4);
template <MmaType kType, class View, int kRows>
constexpr int kTileFloats = (View::kAlongK ? kRows : kTileDepth) * kTileStride<kType, View, kRows>;

/// The thread's i-th group of four values: its place in the tile.
template <bool kAlongK, int kRows>
struct Share {
  static constexpr int kQuads = kRows * kTileDepth / 4 / kThreads;
  __device__ static int free(int i) {
    return kAlongK ? int(threadIdx.x) / 4 + i * (kThreads / 4) : int(threadIdx.x) % (kRows / 4) * 4;
  }
  __device__ static int k(int i) {
    return kAlongK ? int(threadIdx.x) % 4 * 4 : int(threadIdx.x) / (kRows / 4) + i * (4 * kThreads / kRows);
  }
  template <int kStride>
  __device__ static int place(int i) {
    return kAlongK ? free(i) * kStride + k(i) : k(i) * kStride + free(i);
  }
};

/// An image and its windows, in 32 bits.
struct Windows {
  int h, w, c, p, q, r, s, stride, padding, pixels;
  explicit Windows(const ConvShape& z)
      : h(int(z.h)),
        w(int(z.w)),
        c(int(z.c)),
        p(int(z.p)),
        q(int(z.q)),
        r(int(z.r)),
        s(int(z.s)),
        stride(int(z.stride)),
        padding(int(z.padding)),
        pixels(int(z.n * z.p * z.q)) {}
  __device__ bool inside(int row, int column) const {
    return unsigned(row) < unsigned(h) && unsigned(column) < unsigned(w);
  }
};

/// values[rows, depth], k along the rows.
struct MatrixRows {
  static constexpr bool kAlongK = true;
  const float* values;
  int rows, depth;

  template <int kRows>
  struct Reader {
    using Mine = Share<true, kRows>;
    const float* const values;
    int k, end, offset[Mine::kQuads];
    bool inside[Mine::kQuads];
    __device__ Reader(const MatrixRows& view, int first, int begin, int end_)
        : values(view.values), k(begin + Mine::k(0)), end(end_) {
#pragma unroll
      for (int i = 0; i < Mine::kQuads; ++i) {
        inside[i] = first + Mine::free(i) < view.rows;
        offset[i] = (first + Mine::free(i)) * view.depth;
      }
    }
    template <int kStride>
    __device__ void fetch(float* tile) {
#pragma unroll
      for (int i = 0; i < Mine::kQuads; ++i)
        copy_16_bytes_async(tile + Mine::template place<kStride>(i), values + offset[i] + k, inside[i] && k < end);
      k += kTileDepth;
    }
  };
};

/// Free index = output pixel (n, p, q), k = (r, s, c): x[n, row(p,r), col(q,s), c].
struct PatchRows {
  static constexpr bool kAlongK = true;
  const float* x;
  Windows z;

  template <int kRows>
  struct Reader {
    using Mine = Share<true, kRows>;
    const float* const x;
    const Windows z;
    int k, end, r, s, c, image[Mine::kQuads], row[Mine::kQuads], column[Mine::kQuads];
    __device__ Reader(const PatchRows& view, int first, int begin, int end_)
        : x(view.x), z(view.z), k(begin + Mine::k(0)), end(end_) {
      c = k % z.c;
      s = k / z.c % z.s;
      r = k / z.c / z.s;
#pragma unroll
      for (int i = 0; i < Mine::kQuads; ++i) {
        const int pixel = first + Mine::free(i), line = pixel / z.q;
        // A row above every image stands for a pixel that is none.
        row[i] = pixel < z.pixels ? line % z.p * z.stride - z.padding : -z.h - z.r;
        column[i] = pixel % z.q * z.stride - z.padding;
        image[i] = line / z.p * z.h;
      }
    }
    template <int kStride>
    __device__ void fetch(float* tile) {
#pragma unroll
      for (int i = 0; i < Mine::kQuads; ++i) {
        const int down = row[i] + r, across = column[i] + s;
        copy_16_bytes_async(tile + Mine::template place<kStride>(i), x + ((image[i] + down) * z.w + across) * z.c + c,
                            k < end && z.inside(down, across));
      }
      k += kTileDepth;
      for (c += kTileDepth; c >= z.c; c -= z.c)
        if (++s == z.s) s = 0, ++r;
    }
  };
};

/// values[depth, columns], the free index along the rows.
struct MatrixColumns {
  static constexpr bool kAlongK = false;
  const float* values;
  int columns;

  template <int kRows>
  struct Reader {
    using Mine = Share<false, kRows>;
    const float* const values;
    const int columns;
    int k, end, column;
    __device__ Reader(const MatrixColumns& view, int first, int begin, int end_)
        : values(view.values), columns(view.columns), k(begin), end(end_), column(first + Mine::free(0)) {}
    template <int kStride>
    __device__ void fetch(float* tile) {
#pragma unroll
      for (int i = 0; i < Mine::kQuads; ++i)
        copy_16_bytes_async(tile + Mine::template place<kStride>(i), values + (k + Mine::k(i)) * columns + column,
                            k + Mine::k(i) < end && column < columns);
      k += kTileDepth;
    }
  };
};

/// Free index = (r, s, c), k = output pixel: the patches transposed.
struct PatchColumns {
  static constexpr bool kAlongK = false;
  const float* x;
  Windows z;

  template <int kRows>
  struct Reader {
    using Mine = Share<false, kRows>;
    const float* const x;
    const Windows z;
    int k, end, r, s, c, image[Mine::kQuads], p[Mine::kQuads], q[Mine::kQuads];
    __device__ Reader(const PatchColumns& view, int first, int begin, int end_)
        : x(view.x), z(view.z), k(begin), end(end_) {
      const int free = first + Mine::free(0);
      c = free % z.c;
      s = free / z.c % z.s;
      r = free / z.c / z.s;
      if (r >= z.r) end = 0;  // beyond the last tap: nothing of it is inside
#pragma unroll
      for (int i = 0; i < Mine::kQuads; ++i) {
        const int pixel = begin + Mine::k(i), line = pixel / z.q;
        q[i] = pixel % z.q;
        p[i] = line % z.p;
        image[i] = line / z.p * z.h;
      }
    }
    template <int kStride>
    __device__ void fetch(float* tile) {
#pragma unroll
      for (int i = 0; i < Mine::kQuads; ++i) {
        const int down = p[i] * z.stride - z.padding + r, across = q[i] * z.stride - z.padding + s;
        copy_16_bytes_async(tile + Mine::template place<kStride>(i), x + ((image[i] + down) * z.w + across) * z.c + c,
                            k + Mine::k(i) < end && z.inside(down, across));
        for (q[i] += kTileDepth; q[i] >= z.q; q[i] -= z.q)
          if (++p[i] == z.p) p[i] = 0, image[i] += z.h;
      }
      k += kTileDepth;
    }
  };
};

}  // namespace tensor::cuda
