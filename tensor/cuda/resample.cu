/// Resizing; its transpose gathers over the outputs that read an input, so that no sum needs an atomic addition.
#include "tensor/cuda/pack.h"
#include "tensor/cuda/tensors.h"

namespace tensor::cuda {
namespace {

/// In both kernels a thread takes N channels; N divides their number.
template <class T, int N>
__global__ void resize_kernel(ResizeShape z, const T* x, T* y) {
  for_each(z.n * z.p * z.q * z.c / N, [=](int64_t pack) {
    const Coordinates at = coordinates(pack * N, z.p, z.q, z.c);
    const ResizeTap row = resize_tap(at.h, z.h, z.p, z.mode), column = resize_tap(at.w, z.w, z.q, z.mode);
    const auto values = [&](int64_t h, int64_t w) { return load<N>(x + ((at.n * z.h + h) * z.w + w) * z.c + at.c); };
    const Pack<T, N> a = values(row.first, column.first), b = values(row.first, column.second);
    const Pack<T, N> c = values(row.second, column.first), d = values(row.second, column.second);
    const Wide<T> t = Wide<T>(row.t), u = Wide<T>(column.t);
    Pack<T, N> result;
    for (int e = 0; e < N; ++e) {
      const Wide<T> upper = (1 - u) * a.of[e] + u * b.of[e], lower = (1 - u) * c.of[e] + u * d.of[e];
      result.of[e] = T((1 - t) * upper + t * lower);
    }
    store(y + pack * N, result);
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

template <class T, int N>
__global__ void resize_grad_kernel(ResizeShape z, const T* dy, T* dx) {
  for_each(z.n * z.h * z.w * z.c / N, [=](int64_t pack) {
    const Coordinates at = coordinates(pack * N, z.h, z.w, z.c);
    const Range rows = readers(at.h, z.h, z.p, z.mode), columns = readers(at.w, z.w, z.q, z.mode);
    Wide<T> total[N] = {};
    for (int64_t p = rows.first; p <= rows.last; ++p) {
      const Wide<T> down = Wide<T>(weight(p, at.h, z.h, z.p, z.mode));
      if (down == 0) continue;
      Wide<T> row[N] = {};
      for (int64_t q = columns.first; q <= columns.last; ++q) {
        const Wide<T> across = Wide<T>(weight(q, at.w, z.w, z.q, z.mode));
        if (across == 0) continue;
        const Pack<T, N> v = load<N>(dy + ((at.n * z.p + p) * z.q + q) * z.c + at.c);
        for (int e = 0; e < N; ++e) row[e] += across * v.of[e];
      }
      for (int e = 0; e < N; ++e) total[e] += down * row[e];
    }
    Pack<T, N> sums;
    for (int e = 0; e < N; ++e) sums.of[e] = T(total[e]);
    store(dx + pack * N, sums);
  });
}

}  // namespace

void resize(const ResizeShape& z, const Tensor& x, const Tensor& y) {
  visit_activation(x.dtype(), "resize", [&]<class T>() {
    with_channel_pack(z.c, [&]<int N>() {
      launch("resize", &resize_kernel<T, N>, blocks_for(y.size() / N), kThreads, z, x.data<T>(), y.data<T>());
    });
  });
}

void resize_grad(const ResizeShape& z, const Tensor& dy, const Tensor& dx) {
  visit_activation(dy.dtype(), "resize_grad", [&]<class T>() {
    with_channel_pack(z.c, [&]<int N>() {
      launch("resize_grad", &resize_grad_kernel<T, N>, blocks_for(dx.size() / N), kThreads, z, dy.data<T>(),
             dx.data<T>());
    });
  });
}

void add_resizing(Backend& b) {
  b.resize = resize;
  b.resize_grad = resize_grad;
}

}  // namespace tensor::cuda
