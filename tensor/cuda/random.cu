/// Random kernels: the same numbers as every other device, since element i is a function of the key and i alone.
#include "tensor/cuda/pack.h"
#include "tensor/cuda/recording.h"
#include "tensor/cuda/tensors.h"

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

/// A thread keeps or drops the four elements of one Philox block. The key's step is *step where that is not null, read
/// when the kernel runs.
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

void fill_uniform(const RandomKey& key, double low, double high, const Tensor& y) {
  visit_float(y.dtype(), "fill_uniform", [&]<class T>() {
    launch("fill_uniform", &uniform_kernel<T>, blocks_for(y.size()), kThreads, key, low, high, y.data<T>(), y.size());
  });
}

void fill_normal(const RandomKey& key, double mean, double deviation, const Tensor& y) {
  visit_float(y.dtype(), "fill_normal", [&]<class T>() {
    launch("fill_normal", &normal_kernel<T>, blocks_for(y.size()), kThreads, key, mean, deviation, y.data<T>(),
           y.size());
  });
}

void dropout(const RandomKey& key, double p, const Tensor& x, const Tensor& y) {
  visit_activation(x.dtype(), "dropout", [&]<class T>() {
    launch("dropout", &dropout_kernel<T>, blocks_for((x.size() + 3) / 4), kThreads, key, recorded_random_step(), p,
           Wide<T>(1 - p), x.data<T>(), y.data<T>(), x.size());
  });
}

void add_random(Backend& b) {
  b.fill_uniform = fill_uniform;
  b.fill_normal = fill_normal;
  b.dropout = dropout;
}

}  // namespace tensor::cuda
