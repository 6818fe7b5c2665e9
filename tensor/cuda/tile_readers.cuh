/// Matrices that are views of images, brought tile by tile to shared memory: the operands of the implicit GEMM.
///
/// A view names its free index (the row or column of the product that it stays on) and the summed index k. Its Reader
/// is one thread's part in the reading of a tile of kRows free indices by kTileDepth k, 64 bytes: it starts at the
/// block's first k and each `fetch` starts the copies of one tile and moves on. Values outside are 0. Views along k lie
/// [free][k] in shared memory, rows of four vectors of 16 bytes, whose order `swizzled` changes from row to row; the
/// others lie [k][free] in padded rows. Either way the writes of a tile and the reads of a warp's operands touch every
/// bank once. 16 bytes travel together, so channels are multiples of 4 f32 or 8 bf16. 32 bits count pixels, and
/// elements within one image.
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
constexpr int kTileStride = View::kAlongK ? kTileDepth<typename View::Element> : kRows + 8;
/// Where vector 0 to 3 of a row lies: two rows fill the 32 banks, and the next two begin with another vector.
__device__ __forceinline__ int swizzled(int row, int vector) { return vector ^ (row / 2 % 4); }
template <class View, int kRows>
constexpr int kTileElements = (View::kAlongK ? kRows : kTileDepth<typename View::Element>)*kTileStride<View, kRows>;

/// The i-th vector of 16 bytes of one of kBlock threads: its place in the tile.
template <class T, bool kAlongK, int kRows, int kBlock>
struct Share {
  static constexpr int kAll = kRows * 4, kVectors = (kAll + kBlock - 1) / kBlock, kInRow = kRows / kVector<T>;
  /// Of a tile with fewer vectors than threads the last threads bring none.
  __device__ static bool takes_part() { return kAll >= kBlock || int(threadIdx.x) < kAll; }
  __device__ static int free(int i) {
    return kAlongK ? int(threadIdx.x) / 4 + i * (kBlock / 4) : int(threadIdx.x) % kInRow * kVector<T>;
  }
  __device__ static int k(int i) {
    return kAlongK ? int(threadIdx.x) % 4 * kVector<T> : int(threadIdx.x) / kInRow + i * (kBlock / kInRow);
  }
  template <int kStride>
  __device__ static int place(int i) {
    if constexpr (kAlongK)
      return free(i) * kStride + swizzled(free(i), int(threadIdx.x) % 4) * kVector<T>;
    else
      return k(i) * kStride + free(i);
  }
};

/// An image and its windows, in 32 bits.
struct PatchWindows {
  int h, w, c, p, q, r, s, stride, padding, pixels, elements;  // elements: of an image
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
        pixels(int(z.n * z.p * z.q)),
        elements(int(z.h * z.w * z.c)) {}
  __device__ bool inside(int row, int column) const {
    return unsigned(row) < unsigned(h) && unsigned(column) < unsigned(w);
  }
  /// Where an image's element lies; row and column may be outside.
  __device__ int64_t place(int image, int row, int column, int channel) const {
    return int64_t(image) * elements + ((row * w + column) * c + channel);
  }
};

/// values[rows, depth], k along the rows.
template <class T>
struct MatrixRows {
  using Element = T;
  static constexpr bool kAlongK = true;
  const T* values;
  int rows, depth;

  template <int kRows, int kBlock>
  struct Reader {
    using Mine = Share<T, true, kRows, kBlock>;
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
      if (Mine::takes_part()) {
#pragma unroll
        for (int i = 0; i < Mine::kVectors; ++i)
          copy_16_bytes_async(tile + Mine::template place<kStride>(i), values + offset[i] + k, inside[i] && k < end);
      }
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

  template <int kRows, int kBlock>
  struct Reader {
    using Mine = Share<T, true, kRows, kBlock>;
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
        image[i] = line / z.p;
      }
    }
    template <int kStride>
    __device__ void fetch(T* tile) {
#pragma unroll
      for (int i = 0; i < Mine::kVectors; ++i) {
        const int down = row[i] + r, across = column[i] + s;
        copy_16_bytes_async(tile + Mine::template place<kStride>(i), x + z.place(image[i], down, across, c),
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

  template <int kRows, int kBlock>
  struct Reader {
    using Mine = Share<T, false, kRows, kBlock>;
    const T* const values;
    const int columns;
    int k, end, column;
    __device__ Reader(const MatrixColumns& view, int first, int begin, int end_)
        : values(view.values), columns(view.columns), k(begin), end(end_), column(first + Mine::free(0)) {}
    template <int kStride>
    __device__ void fetch(T* tile) {
      if (Mine::takes_part()) {
#pragma unroll
        for (int i = 0; i < Mine::kVectors; ++i)
          copy_16_bytes_async(tile + Mine::template place<kStride>(i),
                              values + int64_t(k + Mine::k(i)) * columns + column,
                              k + Mine::k(i) < end && column < columns);
      }
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

  template <int kRows, int kBlock>
  struct Reader {
    using Mine = Share<T, false, kRows, kBlock>;
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
        image[i] = line / z.p;
      }
    }
    template <int kStride>
    __device__ void fetch(T* tile) {
#pragma unroll
      for (int i = 0; i < Mine::kVectors; ++i) {
        const int down = p[i] * z.stride - z.padding + r, across = q[i] * z.stride - z.padding + s;
        copy_16_bytes_async(tile + Mine::template place<kStride>(i), x + z.place(image[i], down, across, c),
                            k + Mine::k(i) < end && z.inside(down, across));
        for (q[i] += kTileDepth<T>; q[i] >= z.q; q[i] -= z.q)
          if (++p[i] == z.p) p[i] = 0, ++image[i];
      }
      k += kTileDepth<T>;
    }
  };
};

}  // namespace tensor::cuda
