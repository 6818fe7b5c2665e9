/// Parameter updates: gradient, weight and moments are read and written once.
#include "tensor/cuda/launch.h"
#include "tensor/cuda/tensors.h"

namespace tensor::cuda {
namespace {

template <class T>
__global__ void adam_kernel(AdamStep s, AdamFactors f, const T* g, T* w, T* m, T* v, int64_t n) {
  const T rate = T(f.rate), correction = T(f.correction);
  for_each(n, [=](int64_t i) {
    const T d = g[i] + T(s.weight_decay) * w[i];
    const T first = T(s.beta1) * m[i] + T(1 - s.beta1) * d, second = T(s.beta2) * v[i] + T(1 - s.beta2) * d * d;
    m[i] = first;
    v[i] = second;
    w[i] -= rate * first / (sqrt(second) * correction + T(s.epsilon));
  });
}

template <class T>
__global__ void sgd_kernel(T rate, T momentum, T weight_decay, const T* g, T* w, T* velocity, int64_t n) {
  for_each(n, [=](int64_t i) {
    const T next = momentum * velocity[i] + g[i] + weight_decay * w[i];
    velocity[i] = next;
    w[i] -= rate * next;
  });
}

}  // namespace

void adam_step(const AdamStep& s, const Tensor& g, const Tensor& w, const Tensor& m, const Tensor& v) {
  visit_float(w.dtype(), "adam_step", [&]<class T>() {
    launch("adam_step", &adam_kernel<T>, blocks_for(w.size()), kThreads, s, adam_factors(s), g.data<T>(), w.data<T>(),
           m.data<T>(), v.data<T>(), w.size());
  });
}

void sgd_step(const SgdStep& s, const Tensor& g, const Tensor& w, const Tensor& velocity) {
  visit_float(w.dtype(), "sgd_step", [&]<class T>() {
    launch("sgd_step", &sgd_kernel<T>, blocks_for(w.size()), kThreads, T(s.learning_rate), T(s.momentum),
           T(s.weight_decay), g.data<T>(), w.data<T>(), velocity.data<T>(), w.size());
  });
}

void add_updates(Backend& b) {
  b.adam_step = adam_step;
  b.sgd_step = sgd_step;
}

}  // namespace tensor::cuda
