/// Convolution and its two gradients: one walk over the taps, three sums.
#include <algorithm>

#include "tensor/backend.h"
#include "tensor/machine/parallel.h"

namespace tensor::reference {
namespace {

/// Calls f(x, w, y) for every tap inside the image that filter `k` takes on image `n`: x and w are where the tap's z.c
/// channels start in image and weight, y is the element of the output that they feed. This is the definition of the
/// convolution.
template <class F>
void for_each_tap(const ConvShape& z, int64_t n, int64_t k, F f) {
  for (int64_t p = 0; p < z.p; ++p)
    for (int64_t q = 0; q < z.q; ++q)
      for (int64_t r = 0; r < z.r; ++r)
        for (int64_t s = 0; s < z.s; ++s) {
          const int64_t row = z.row(p, r), col = z.col(q, s);
          if (row < 0 || row >= z.h || col < 0 || col >= z.w) continue;
          f(((n * z.h + row) * z.w + col) * z.c, ((k * z.r + r) * z.s + s) * z.c, ((n * z.p + p) * z.q + q) * z.k + k);
        }
}

}  // namespace

void conv2d(const ConvShape& z, const Tensor& x, const Tensor& w, const Tensor& b, Activation activation,
            const Tensor& y) {
  visit_float(x.dtype(), "conv2d", [&]<class T>() {
    const T *X = x.data<T>(), *W = w.data<T>(), *B = b.defined() ? b.data<T>() : nullptr;
    T* Y = y.data<T>();
    for (int64_t i = 0; i < y.size(); ++i) Y[i] = B ? B[i % z.k] : T(0);
    parallel_chunks(z.n * z.k, [&](int64_t i) {
      for_each_tap(z, i / z.k, i % z.k, [&](int64_t from, int64_t weight, int64_t to) {
        T total = 0;
        for (int64_t c = 0; c < z.c; ++c) total += X[from + c] * W[weight + c];
        Y[to] += total;
      });
    });
    if (activation == Activation::relu)
      for (int64_t i = 0; i < y.size(); ++i) Y[i] = Relu{}(Y[i]);
  });
}

void conv2d_grad_input(const ConvShape& z, const Tensor& dy, const Tensor& w, const Tensor& b, const Tensor& dx) {
  visit_float(dy.dtype(), "conv2d_grad_input", [&]<class T>() {
    const T *DY = dy.data<T>(), *W = w.data<T>(), *B = b.defined() ? b.data<T>() : nullptr;
    T* DX = dx.data<T>();
    for (int64_t i = 0; i < dx.size(); ++i) DX[i] = B ? B[i % z.c] : T(0);
    parallel_chunks(z.n, [&](int64_t n) {
      for (int64_t k = 0; k < z.k; ++k)
        for_each_tap(z, n, k, [&](int64_t to, int64_t weight, int64_t from) {
          for (int64_t c = 0; c < z.c; ++c) DX[to + c] += DY[from] * W[weight + c];
        });
    });
  });
}

void conv2d_grad_weight(const ConvShape& z, const Tensor& dy, const Tensor& x, const Tensor& dw) {
  visit_float(dy.dtype(), "conv2d_grad_weight", [&]<class T>() {
    const T *DY = dy.data<T>(), *X = x.data<T>();
    T* DW = dw.data<T>();
    std::fill_n(DW, dw.size(), T(0));
    parallel_chunks(z.k, [&](int64_t k) {
      for (int64_t n = 0; n < z.n; ++n)
        for_each_tap(z, n, k, [&](int64_t image, int64_t to, int64_t from) {
          for (int64_t c = 0; c < z.c; ++c) DW[to + c] += DY[from] * X[image + c];
        });
    });
  });
}

void add_convolution(Backend& b) {
  b.conv2d = conv2d;
  b.conv2d_grad_input = conv2d_grad_input;
  b.conv2d_grad_weight = conv2d_grad_weight;
}

}  // namespace tensor::reference
