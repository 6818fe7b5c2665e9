/// Matrices that are views of images, brought tile by tile to shared memory: the operands of the implicit GEMM.
///
/// A view names its free index (the row or column of the product that it stays on) and the summed index k. Its Reader
/// is one thread's part in the reading of a tile of kRows free indices by kTileDepth k, 64 bytes: it starts at the
/// block's first k and each `fetch` starts the copies of one tile and moves on. Values outside are 0. Views along k lie
/// [free][k] in shared memory, the others [k][free]; rows are padded so that a warp's operands touch every bank once.
/// 16 bytes travel together, so channels are multiples of 4 f32 or 8 bf16; offsets are 32-bit.
#pragma once
#include "tensor/conv_shape.h"
#include "tensor/cuda/async_copy.h"
#include "tensor/cuda/conv_kernels.h"
#include "tensor/cuda/launch.h"

namespace tensor::cuda {

/// Elements of 16 bytes.
template <class T>
constexpr int kVector = 16 / int(sizeof(T));
template <class T>
constexpr int kTileDepth = 4 * kVector<T>;

/// Elements from one row of a tile to the next: operands are read as 4 k by 8 rows of floats, or as 8 rows of 16 bytes.
template <class View, int kRows>
constexpr int kTileStride =
    View::kAlongK ? kTileDepth<typename View::Element> + kVector<typename View::Element> : kRows + 8;
template <class View, int kRows>
constexpr int kTileElements = (View::kAlongK ? kRows : kTileDepth<typename View::Element>)*kTileStride<View, kRows>;

/// The thread's i-th vector of 16 bytes: its place in the tile.
template <class T, bool kAlongK, int kRows>
struct Share {
  static constexpr int kVectors = kRows * 4 / kThreads, kInRow = kRows / kVector<T>;
  __device__ static int free(int i) {
    return kAlongK ? int(threadIdx.x) / 4 + i * (kThreads / 4) : int(threadIdx.x) % kInRow * kVector<T>;
  }
  __device__ static int k(int i) {
    return kAlongK ? int(threadIdx.x) % 4 * kVector<T> : int(threadIdx.x) / kInRow + i * (kThreads / kInRow);
  }
  template <int kStride>
  __device__ static int place(int i) {
    return kAlongK ? free(i) * kStride + k(i) : k(i) * kStride + free(i);
  }
};

/// An image and its windows, in 32 bits.
struct PatchWindows {
  int h, w, c, p, q, r, s, stride, padding, pixels;
  explicit PatchWindows(const ConvShape& z)
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
template <class T>
struct MatrixRows {
  using Element = T;
  static constexpr bool kAlongK = true;
  const T* values;
  int rows, depth;

  template <int kRows>
  struct Reader {
    using Mine = Share<T, true, kRows>;
    const T* const values;
    int k, end, offset[Mine::kVectors];
    bool inside[Mine::kVectors];
    __device__ Reader(const MatrixRows& view, int first, int begin, int end_)
        : values(view.values), k(begin + Mine::k(0)), end(end_) {
#pragma unroll
      for (int i = 0; i < Mine::kVectors; ++i) {
        inside[i] = first + Mine::free(i) < view.rows;
        offset[i] = (first + Mine::free(i)) * view.depth;
      }
    }
    template <int kStride>
    __device__ void fetch(T* tile) {
#pragma unroll
      for (int i = 0; i < Mine::kVectors; ++i)
        copy_16_bytes_async(tile + Mine::template place<kStride>(i), values + offset[i] + k, inside[i] && k < end);
      k += kTileDepth<T>;
    }
  };
};

/// Free index = output pixel (n, p, q), k = (r, s, c): x[n, row(p,r), col(q,s), c].
template <class T>
struct PatchRows {
  using Element = T;
  static constexpr bool kAlongK = true;
  const T* x;
  PatchWindows z;

  template <int kRows>
  struct Reader {
    using Mine = Share<T, true, kRows>;
    const T* const x;
    const PatchWindows z;
    int k, end, r, s, c, image[Mine::kVectors], row[Mine::kVectors], column[Mine::kVectors];
    __device__ Reader(const PatchRows& view, int first, int begin, int end_)
        : x(view.x), z(view.z), k(begin + Mine::k(0)), end(end_) {
      c = k % z.c;
      s = k / z.c % z.s;
      r = k / z.c / z.s;
#pragma unroll
      for (int i = 0; i < Mine::kVectors; ++i) {
        const int pixel = first + Mine::free(i), line = pixel / z.q;
        // A row above every image stands for a pixel that is none.
        row[i] = pixel < z.pixels ? line % z.p * z.stride - z.padding : -z.h - z.r;
        column[i] = pixel % z.q * z.stride - z.padding;
        image[i] = line / z.p * z.h;
      }
    }
    template <int kStride>
    __device__ void fetch(T* tile) {
#pragma unroll
      for (int i = 0; i < Mine::kVectors; ++i) {
        const int down = row[i] + r, across = column[i] + s;
        copy_16_bytes_async(tile + Mine::template place<kStride>(i), x + ((image[i] + down) * z.w + across) * z.c + c,
                            k < end && z.inside(down, across));
      }
      k += kTileDepth<T>;
      for (c += kTileDepth<T>; c >= z.c; c -= z.c)
        if (++s == z.s) s = 0, ++r;
    }
  };
};

/// values[depth, columns], the free index along the rows.
template <class T>
struct MatrixColumns {
  using Element = T;
  static constexpr bool kAlongK = false;
  const T* values;
  int columns;

  template <int kRows>
  struct Reader {
    using Mine = Share<T, false, kRows>;
    const T* const values;
    const int columns;
    int k, end, column;
    __device__ Reader(const MatrixColumns& view, int first, int begin, int end_)
        : values(view.values), columns(view.columns), k(begin), end(end_), column(first + Mine::free(0)) {}
    template <int kStride>
    __device__ void fetch(T* tile) {
#pragma unroll
      for (int i = 0; i < Mine::kVectors; ++i)
        copy_16_bytes_async(tile + Mine::template place<kStride>(i), values + (k + Mine::k(i)) * columns + column,
                            k + Mine::k(i) < end && column < columns);
      k += kTileDepth<T>;
    }
  };
};

/// Free index = (r, s, c), k = output pixel: the patches transposed.
template <class T>
struct PatchColumns {
  using Element = T;
  static constexpr bool kAlongK = false;
  const T* x;
  PatchWindows z;

  template <int kRows>
  struct Reader {
    using Mine = Share<T, false, kRows>;
    const T* const x;
    const PatchWindows z;
    int k, end, r, s, c, image[Mine::kVectors], p[Mine::kVectors], q[Mine::kVectors];
    __device__ Reader(const PatchColumns& view, int first, int begin, int end_)
        : x(view.x), z(view.z), k(begin), end(end_) {
      const int free = first + Mine::free(0);
      c = free % z.c;
      s = free / z.c % z.s;
      r = free / z.c / z.s;
      if (r >= z.r) end = 0;  // beyond the last tap: nothing of it is inside
#pragma unroll
      for (int i = 0; i < Mine::kVectors; ++i) {
        const int pixel = begin + Mine::k(i), line = pixel / z.q;
        q[i] = pixel % z.q;
        p[i] = line % z.p;
        image[i] = line / z.p * z.h;
      }
    }
    template <int kStride>
    __device__ void fetch(T* tile) {
#pragma unroll
      for (int i = 0; i < Mine::kVectors; ++i) {
        const int down = p[i] * z.stride - z.padding + r, across = q[i] * z.stride - z.padding + s;
        copy_16_bytes_async(tile + Mine::template place<kStride>(i), x + ((image[i] + down) * z.w + across) * z.c + c,
                            k + Mine::k(i) < end && z.inside(down, across));
        for (q[i] += kTileDepth<T>; q[i] >= z.q; q[i] -= z.q)
          if (++p[i] == z.p) p[i] = 0, image[i] += z.h;
      }
      k += kTileDepth<T>;
    }
  };
};

}  // namespace tensor::cuda
