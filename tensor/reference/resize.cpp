/// Nearest and bilinear resizing, and the transpose.
#include <algorithm>

#include "tensor/backend.h"

namespace tensor::reference {
namespace {

/// Calls f(x, y, weight) for each of the four elements x that the output element y mixes, those of weight 0 left out:
/// an infinite neighbour that does not count must not turn the result into NaN.
template <class F>
void for_each_mix(const ResizeShape& z, F f) {
  for (int64_t n = 0; n < z.n; ++n)
    for (int64_t p = 0; p < z.p; ++p) {
      const ResizeTap row = resize_tap(p, z.h, z.p, z.mode);
      for (int64_t q = 0; q < z.q; ++q) {
        const ResizeTap col = resize_tap(q, z.w, z.q, z.mode);
        const auto corner = [&](int64_t h, int64_t w, double weight) {
          if (weight == 0) return;
          for (int64_t c = 0; c < z.c; ++c)
            f(((n * z.h + h) * z.w + w) * z.c + c, ((n * z.p + p) * z.q + q) * z.c + c, weight);
        };
        corner(row.first, col.first, (1 - row.t) * (1 - col.t));
        corner(row.first, col.second, (1 - row.t) * col.t);
        corner(row.second, col.first, row.t * (1 - col.t));
        corner(row.second, col.second, row.t * col.t);
      }
    }
}

}  // namespace

void resize(const ResizeShape& z, const Tensor& x, const Tensor& y) {
  visit_float(x.dtype(), "resize", [&]<class T>() {
    const T* X = x.data<T>();
    T* Y = y.data<T>();
    std::fill_n(Y, y.size(), T(0));
    for_each_mix(z, [&](int64_t from, int64_t to, double weight) { Y[to] += T(weight) * X[from]; });
  });
}

void resize_grad(const ResizeShape& z, const Tensor& dy, const Tensor& dx) {
  visit_float(dy.dtype(), "resize_grad", [&]<class T>() {
    const T* DY = dy.data<T>();
    T* DX = dx.data<T>();
    std::fill_n(DX, dx.size(), T(0));
    for_each_mix(z, [&](int64_t to, int64_t from, double weight) { DX[to] += T(weight) * DY[from]; });
  });
}

void add_resizing(Backend& b) {
  b.resize = resize;
  b.resize_grad = resize_grad;
}

}  // namespace tensor::reference
