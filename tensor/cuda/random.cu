/// Random kernels: the same numbers as every other device, since element i is a function of the key and i alone.
#include "tensor/cuda/kernels.h"
#include "tensor/cuda/pack.h"

namespace tensor::cuda {
namespace {

template <class T>
__global__ void uniform_kernel(RandomKey key, double low, double high, T* y, int64_t n) {
  for_each(n, [=](int64_t i) { y[i] = T(low + (high - low) * uniform(key, uint64_t(i))); });
}

template <class T>
__global__ void normal_kernel(RandomKey key, double mean, double deviation, T* y, int64_t n) {
  for_each(n, [=](int64_t i) { y[i] = T(mean + deviation * normal(key, uint64_t(i))); });
}

/// A thread keeps or drops the four elements of one Philox block.
template <class T>
__global__ void dropout_kernel(RandomKey key, const int32_t* step, double p, Wide<T> kept, const T* x, T* y,
                               int64_t n) {
  if (step) key.step = uint32_t(*step);
  for_each_pack<4>(n, [=]<int N>(int64_t i) {
    const auto words = random_block(key, uint64_t(i / 4));
    Pack<T, N> v = load<N>(x + i);
    for (int e = 0; e < N; ++e) v.of[e] = words[i % 4 + e] * 0x1p-32 >= p ? T(v.of[e] / kept) : T(0);
    store(y + i, v);
  });
}

}  // namespace

template <class T>
void fill_uniform(const RandomKey& key, double low, double high, T* y, int64_t n) {
  launch("fill_uniform", &uniform_kernel<T>, blocks_for(n), kThreads, key, low, high, y, n);
}

template <class T>
void fill_normal(const RandomKey& key, double mean, double deviation, T* y, int64_t n) {
  launch("fill_normal", &normal_kernel<T>, blocks_for(n), kThreads, key, mean, deviation, y, n);
}

template <class T>
void dropout(const RandomKey& key, const int32_t* step, double p, const T* x, T* y, int64_t n) {
  launch("dropout", &dropout_kernel<T>, blocks_for((n + 3) / 4), kThreads, key, step, p, Wide<T>(1 - p), x, y, n);
}

template void fill_uniform(const RandomKey&, double, double, float*, int64_t);
template void fill_uniform(const RandomKey&, double, double, double*, int64_t);
template void fill_normal(const RandomKey&, double, double, float*, int64_t);
template void fill_normal(const RandomKey&, double, double, double*, int64_t);
template void dropout(const RandomKey&, const int32_t*, double, const float*, float*, int64_t);
template void dropout(const RandomKey&, const int32_t*, double, const double*, double*, int64_t);
template void dropout(const RandomKey&, const int32_t*, double, const BFloat16*, BFloat16*, int64_t);

}  // namespace tensor::cuda
