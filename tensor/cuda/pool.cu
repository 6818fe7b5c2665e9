/// Pooling and its inverse: one thread an element of the result, gradients as gathers.
#include "tensor/cuda/kernels.h"
#include "tensor/cuda/launch.h"

namespace tensor::cuda {
namespace {

/// Element of the large image at place `place` of window (p, q).
__device__ int64_t place_in_image(const PoolShape& z, const Coordinates& window, int64_t place) {
  const int64_t row = window.h * z.stride + place / z.kernel, column = window.w * z.stride + place % z.kernel;
  return ((window.n * z.h + row) * z.w + column) * z.c + window.c;
}

template <class T>
__global__ void max_pool_kernel(PoolShape z, const T* x, T* y, uint8_t* index) {
  for_each(z.n * z.p * z.q * z.c, [=](int64_t i) {
    const Coordinates window = coordinates(i, z.p, z.q, z.c);
    T best = x[place_in_image(z, window, 0)];
    int largest = 0;
    for (int place = 1; place < z.kernel * z.kernel; ++place) {
      const T v = x[place_in_image(z, window, place)];
      if (v > best || (v != v && best == best)) {
        best = v;
        largest = place;
      }
    }
    y[i] = best;
    if (index) index[i] = uint8_t(largest);
  });
}

/// image[h, w] = the sum (or the last) of the values whose window's place is there.
template <class T, bool kSum>
__global__ void spread_kernel(PoolShape z, const T* values, const uint8_t* index, T* image) {
  for_each(z.n * z.h * z.w * z.c, [=](int64_t i) {
    const Coordinates at = coordinates(i, z.h, z.w, z.c);
    const int64_t first_p = at.h < z.kernel ? 0 : (at.h - z.kernel) / z.stride + 1;
    const int64_t first_q = at.w < z.kernel ? 0 : (at.w - z.kernel) / z.stride + 1;
    T total = 0;
    for (int64_t p = first_p; p < z.p && p * z.stride <= at.h; ++p)
      for (int64_t q = first_q; q < z.q && q * z.stride <= at.w; ++q) {
        const int64_t row = at.h - p * z.stride, column = at.w - q * z.stride;
        const int64_t window = ((at.n * z.p + p) * z.q + q) * z.c + at.c;
        if (index[window] == row * z.kernel + column) total = kSum ? total + values[window] : values[window];
      }
    image[i] = total;
  });
}

template <class T>
__global__ void max_unpool_grad_kernel(PoolShape z, const T* dy, const uint8_t* index, T* dx) {
  for_each(z.n * z.p * z.q * z.c,
           [=](int64_t i) { dx[i] = dy[place_in_image(z, coordinates(i, z.p, z.q, z.c), index[i])]; });
}

}  // namespace

template <class T>
void max_pool(const PoolShape& z, const T* x, T* y, uint8_t* index) {
  launch("max_pool", &max_pool_kernel<T>, blocks_for(z.n * z.p * z.q * z.c), kThreads, z, x, y, index);
}

template <class T>
void max_pool_grad(const PoolShape& z, const T* dy, const uint8_t* index, T* dx) {
  launch("max_pool_grad", &spread_kernel<T, true>, blocks_for(z.n * z.h * z.w * z.c), kThreads, z, dy, index, dx);
}

template <class T>
void max_unpool(const PoolShape& z, const T* x, const uint8_t* index, T* y) {
  launch("max_unpool", &spread_kernel<T, false>, blocks_for(z.n * z.h * z.w * z.c), kThreads, z, x, index, y);
}

template <class T>
void max_unpool_grad(const PoolShape& z, const T* dy, const uint8_t* index, T* dx) {
  launch("max_unpool_grad", &max_unpool_grad_kernel<T>, blocks_for(z.n * z.p * z.q * z.c), kThreads, z, dy, index, dx);
}

template void max_pool(const PoolShape&, const float*, float*, uint8_t*);
template void max_pool(const PoolShape&, const double*, double*, uint8_t*);
template void max_pool_grad(const PoolShape&, const float*, const uint8_t*, float*);
template void max_pool_grad(const PoolShape&, const double*, const uint8_t*, double*);
template void max_unpool(const PoolShape&, const float*, const uint8_t*, float*);
template void max_unpool(const PoolShape&, const double*, const uint8_t*, double*);
template void max_unpool_grad(const PoolShape&, const float*, const uint8_t*, float*);
template void max_unpool_grad(const PoolShape&, const double*, const uint8_t*, double*);

}  // namespace tensor::cuda
