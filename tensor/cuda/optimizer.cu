/// Parameter updates in one pass.
#include "tensor/cuda/kernels.h"
#include "tensor/cuda/launch.h"

namespace tensor::cuda {
namespace {

template <class T>
__global__ void adam_kernel(Adam s, const T* g, T* w, T* m, T* v, int64_t n) {
  const T rate = T(s.rate), correction = T(s.correction);
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

template <class T>
void adam_step(const Adam& s, const T* g, T* w, T* m, T* v, int64_t n) {
  launch("adam_step", &adam_kernel<T>, blocks_for(n), kThreads, s, g, w, m, v, n);
}

template <class T>
void sgd_step(double learning_rate, double momentum, double weight_decay, const T* g, T* w, T* velocity, int64_t n) {
  launch("sgd_step", &sgd_kernel<T>, blocks_for(n), kThreads, T(learning_rate), T(momentum), T(weight_decay), g, w,
         velocity, n);
}

template void adam_step(const Adam&, const float*, float*, float*, float*, int64_t);
template void adam_step(const Adam&, const double*, double*, double*, double*, int64_t);
template void sgd_step(double, double, double, const float*, float*, float*, int64_t);
template void sgd_step(double, double, double, const double*, double*, double*, int64_t);

}  // namespace tensor::cuda
