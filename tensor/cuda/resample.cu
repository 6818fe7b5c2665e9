/// Resizing and its transpose.
#include "tensor/cuda/kernels.h"
#include "tensor/cuda/launch.h"

namespace tensor::cuda {
namespace {

template <class T>
__global__ void resize_kernel(ResizeShape z, const T* x, T* y) {
  for_each(z.n * z.p * z.q * z.c, [=](int64_t i) {
    const Coordinates at = coordinates(i, z.p, z.q, z.c);
    const ResizeTap row = resize_tap(at.h, z.h, z.p, z.mode), column = resize_tap(at.w, z.w, z.q, z.mode);
    const auto value = [&](int64_t h, int64_t w) { return x[((at.n * z.h + h) * z.w + w) * z.c + at.c]; };
    const T t = T(row.t), u = T(column.t);
    const T upper = (1 - u) * value(row.first, column.first) + u * value(row.first, column.second);
    const T lower = (1 - u) * value(row.second, column.first) + u * value(row.second, column.second);
    y[i] = (1 - t) * upper + t * lower;
  });
}

/// The output coordinates that can read input coordinate `at`: a few too many, since each is tested.
struct Range {
  int64_t first, last;
};
__device__ Range readers(int64_t at, int64_t in, int64_t out, ResizeMode mode) {
  if (in == 1 || out == 1) return {0, out - 1};
  const double per_step =
      mode == ResizeMode::bilinear_corners ? double(out - 1) / double(in - 1) : double(out) / double(in);
  const int64_t first = int64_t(double(at - 1) * per_step) - 2, last = int64_t(double(at + 2) * per_step) + 2;
  return {first < 0 || at == 0 ? 0 : first, last > out - 1 ? out - 1 : last};
}

/// Weight with which output coordinate i reads input coordinate `at`.
__device__ double weight(int64_t i, int64_t at, int64_t in, int64_t out, ResizeMode mode) {
  const ResizeTap tap = resize_tap(i, in, out, mode);
  return (tap.first == at ? 1 - tap.t : 0.0) + (tap.second == at ? tap.t : 0.0);
}

template <class T>
__global__ void resize_grad_kernel(ResizeShape z, const T* dy, T* dx) {
  for_each(z.n * z.h * z.w * z.c, [=](int64_t i) {
    const Coordinates at = coordinates(i, z.h, z.w, z.c);
    const Range rows = readers(at.h, z.h, z.p, z.mode), columns = readers(at.w, z.w, z.q, z.mode);
    T total = 0;
    for (int64_t p = rows.first; p <= rows.last; ++p) {
      const T down = T(weight(p, at.h, z.h, z.p, z.mode));
      if (down == T(0)) continue;
      T row = 0;
      for (int64_t q = columns.first; q <= columns.last; ++q) {
        const T across = T(weight(q, at.w, z.w, z.q, z.mode));
        if (across != T(0)) row += across * dy[((at.n * z.p + p) * z.q + q) * z.c + at.c];
      }
      total += down * row;
    }
    dx[i] = total;
  });
}

}  // namespace

template <class T>
void resize(const ResizeShape& z, const T* x, T* y) {
  launch("resize", &resize_kernel<T>, blocks_for(z.n * z.p * z.q * z.c), kThreads, z, x, y);
}

template <class T>
void resize_grad(const ResizeShape& z, const T* dy, T* dx) {
  launch("resize_grad", &resize_grad_kernel<T>, blocks_for(z.n * z.h * z.w * z.c), kThreads, z, dy, dx);
}

template void resize(const ResizeShape&, const float*, float*);
template void resize(const ResizeShape&, const double*, double*);
template void resize_grad(const ResizeShape&, const float*, float*);
template void resize_grad(const ResizeShape&, const double*, double*);

}  // namespace tensor::cuda
