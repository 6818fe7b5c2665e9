/// Pooling and its inverse: one thread an element of the result, gradients as gathers.
#include "tensor/cuda/pack.h"
#include "tensor/cuda/tensors.h"

namespace tensor::cuda {
namespace {

/// Element of the large image at place `place` of window (p, q).
__device__ int64_t place_in_image(const PoolShape& z, const Coordinates& window, int64_t place) {
  const int64_t row = window.h * z.stride + place / z.kernel, column = window.w * z.stride + place % z.kernel;
  return ((window.n * z.h + row) * z.w + column) * z.c + window.c;
}

/// In all kernels a thread takes N channels; N divides their number.
template <class T, int N>
__global__ void max_pool_kernel(PoolShape z, const T* x, T* y, uint8_t* index) {
  for_each(z.n * z.p * z.q * z.c / N, [=](int64_t pack) {
    const Coordinates window = coordinates(pack * N, z.p, z.q, z.c);
    Pack<T, N> best = load<N>(x + place_in_image(z, window, 0));
    Pack<uint8_t, N> largest = {};
    for (int place = 1; place < z.kernel * z.kernel; ++place) {
      const Pack<T, N> v = load<N>(x + place_in_image(z, window, place));
      for (int e = 0; e < N; ++e)
        if (v.of[e] > best.of[e] || (v.of[e] != v.of[e] && best.of[e] == best.of[e])) {
          best.of[e] = v.of[e];
          largest.of[e] = uint8_t(place);
        }
    }
    store(y + pack * N, best);
    if (index) store(index + pack * N, largest);
  });
}

/// image[h, w] = the sum (or the last) of the values whose window's place is there.
template <class T, int N, bool kSum>
__global__ void spread_kernel(PoolShape z, const T* values, const uint8_t* index, T* image) {
  for_each(z.n * z.h * z.w * z.c / N, [=](int64_t pack) {
    const Coordinates at = coordinates(pack * N, z.h, z.w, z.c);
    const int64_t first_p = at.h < z.kernel ? 0 : (at.h - z.kernel) / z.stride + 1;
    const int64_t first_q = at.w < z.kernel ? 0 : (at.w - z.kernel) / z.stride + 1;
    Wide<T> total[N] = {};
    for (int64_t p = first_p; p < z.p && p * z.stride <= at.h; ++p)
      for (int64_t q = first_q; q < z.q && q * z.stride <= at.w; ++q) {
        const int64_t row = at.h - p * z.stride, column = at.w - q * z.stride;
        const int64_t window = ((at.n * z.p + p) * z.q + q) * z.c + at.c;
        const Pack<uint8_t, N> places = load<N>(index + window);
        const Pack<T, N> v = load<N>(values + window);
        for (int e = 0; e < N; ++e)
          if (places.of[e] == row * z.kernel + column) total[e] = kSum ? total[e] + v.of[e] : Wide<T>(v.of[e]);
      }
    Pack<T, N> sums;
    for (int e = 0; e < N; ++e) sums.of[e] = T(total[e]);
    store(image + pack * N, sums);
  });
}

template <class T, int N>
__global__ void max_unpool_grad_kernel(PoolShape z, const T* dy, const uint8_t* index, T* dx) {
  for_each(z.n * z.p * z.q * z.c / N, [=](int64_t pack) {
    Coordinates window = coordinates(pack * N, z.p, z.q, z.c);
    const Pack<uint8_t, N> places = load<N>(index + pack * N);
    Pack<T, N> v;
    for (int e = 0; e < N; ++e, ++window.c) v.of[e] = dy[place_in_image(z, window, places.of[e])];
    store(dx + pack * N, v);
  });
}

}  // namespace

void max_pool(const PoolShape& z, const Tensor& x, const Tensor& y, const Tensor& index) {
  visit_activation(x.dtype(), "max_pool", [&]<class T>() {
    with_channel_pack(z.c, [&]<int N>() {
      launch("max_pool", &max_pool_kernel<T, N>, blocks_for(y.size() / N), kThreads, z, x.data<T>(), y.data<T>(),
             or_null<uint8_t>(index));
    });
  });
}

/// kSum: the gradient of max_pool; else max_unpool.
template <bool kSum>
void spread(const PoolShape& z, const Tensor& values, const Tensor& index, const Tensor& image) {
  visit_activation(values.dtype(), "spread", [&]<class T>() {
    with_channel_pack(z.c, [&]<int N>() {
      launch("spread", &spread_kernel<T, N, kSum>, blocks_for(image.size() / N), kThreads, z, values.data<T>(),
             index.data<uint8_t>(), image.data<T>());
    });
  });
}

void max_unpool_grad(const PoolShape& z, const Tensor& dy, const Tensor& index, const Tensor& dx) {
  visit_activation(dy.dtype(), "max_unpool_grad", [&]<class T>() {
    with_channel_pack(z.c, [&]<int N>() {
      launch("max_unpool_grad", &max_unpool_grad_kernel<T, N>, blocks_for(dx.size() / N), kThreads, z, dy.data<T>(),
             index.data<uint8_t>(), dx.data<T>());
    });
  });
}

void add_pooling(Backend& b) {
  b.max_pool = max_pool;
  b.max_pool_grad = spread<true>;
  b.max_unpool = spread<false>;
  b.max_unpool_grad = max_unpool_grad;
}

}  // namespace tensor::cuda
