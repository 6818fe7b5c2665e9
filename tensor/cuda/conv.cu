/// Convolution by direct sums, one element of the result a thread: what `precision = "exact"` means, and the yardstick.
#include "tensor/cuda/kernels.h"
#include "tensor/cuda/launch.h"

namespace tensor::cuda {
namespace {

template <class T>
__global__ void conv2d_kernel(ConvShape z, const T* x, const T* w, const T* b, bool relu, T* y) {
  for_each(z.n * z.p * z.q * z.k, [=](int64_t i) {
    const Coordinates at = coordinates(i, z.p, z.q, z.k);
    T total = b ? b[at.c] : T(0);
    for (int64_t r = 0; r < z.r; ++r)
      for (int64_t s = 0; s < z.s; ++s) {
        const int64_t row = z.row(at.h, r), column = z.col(at.w, s);
        if (row < 0 || row >= z.h || column < 0 || column >= z.w) continue;
        const T* pixel = x + ((at.n * z.h + row) * z.w + column) * z.c;
        const T* weight = w + ((at.c * z.r + r) * z.s + s) * z.c;
        for (int64_t c = 0; c < z.c; ++c) total += pixel[c] * weight[c];
      }
    y[i] = relu && total < T(0) ? T(0) : total;
  });
}

/// Output coordinate whose tap reads `at`; -1 when the stride skips it or it lies outside.
__device__ int64_t reader(int64_t at, int64_t tap, int64_t padding, int64_t stride, int64_t out) {
  const int64_t offset = at + padding - tap;
  if (offset < 0 || offset % stride != 0) return -1;
  return offset / stride < out ? offset / stride : -1;
}

template <class T>
__global__ void grad_input_kernel(ConvShape z, const T* dy, const T* w, const T* b, T* dx) {
  for_each(z.n * z.h * z.w * z.c, [=](int64_t i) {
    const Coordinates at = coordinates(i, z.h, z.w, z.c);
    T total = b ? b[at.c] : T(0);
    for (int64_t r = 0; r < z.r; ++r)
      for (int64_t s = 0; s < z.s; ++s) {
        const int64_t p = reader(at.h, r, z.padding, z.stride, z.p), q = reader(at.w, s, z.padding, z.stride, z.q);
        if (p < 0 || q < 0) continue;
        const T* gradient = dy + ((at.n * z.p + p) * z.q + q) * z.k;
        for (int64_t k = 0; k < z.k; ++k) total += gradient[k] * w[((k * z.r + r) * z.s + s) * z.c + at.c];
      }
    dx[i] = total;
  });
}

/// Rows are summed in T, their sums in f64.
template <class T>
__global__ void grad_weight_kernel(ConvShape z, const T* dy, const T* x, T* dw) {
  for_each(z.k * z.r * z.s * z.c, [=](int64_t i) {
    const Coordinates at = coordinates(i, z.r, z.s, z.c);
    double total = 0;
    for (int64_t n = 0; n < z.n; ++n)
      for (int64_t p = 0; p < z.p; ++p) {
        const int64_t row = z.row(p, at.h);
        if (row < 0 || row >= z.h) continue;
        T sum = 0;
        for (int64_t q = 0; q < z.q; ++q) {
          const int64_t column = z.col(q, at.w);
          if (column >= 0 && column < z.w)
            sum += dy[((n * z.p + p) * z.q + q) * z.k + at.n] * x[((n * z.h + row) * z.w + column) * z.c + at.c];
        }
        total += sum;
      }
    dw[i] = T(total);
  });
}

}  // namespace

template <class T>
void conv2d(const ConvShape& z, const T* x, const T* w, const T* b, Activation activation, T* y) {
  launch("conv2d", &conv2d_kernel<T>, blocks_for(z.n * z.p * z.q * z.k), kThreads, z, x, w, b,
         activation == Activation::relu, y);
}

template <class T>
void conv2d_grad_input(const ConvShape& z, const T* dy, const T* w, const T* b, T* dx) {
  launch("conv2d_grad_input", &grad_input_kernel<T>, blocks_for(z.n * z.h * z.w * z.c), kThreads, z, dy, w, b, dx);
}

template <class T>
void conv2d_grad_weight(const ConvShape& z, const T* dy, const T* x, T* dw) {
  launch("conv2d_grad_weight", &grad_weight_kernel<T>, blocks_for(z.k * z.r * z.s * z.c), kThreads, z, dy, x, dw);
}

template void conv2d(const ConvShape&, const float*, const float*, const float*, Activation, float*);
template void conv2d(const ConvShape&, const double*, const double*, const double*, Activation, double*);
template void conv2d_grad_input(const ConvShape&, const float*, const float*, const float*, float*);
template void conv2d_grad_input(const ConvShape&, const double*, const double*, const double*, double*);
template void conv2d_grad_weight(const ConvShape&, const float*, const float*, float*);
template void conv2d_grad_weight(const ConvShape&, const double*, const double*, double*);

}  // namespace tensor::cuda
