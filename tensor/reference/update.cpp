/// One step of an optimiser, in place.
#include <cmath>

#include "tensor/backend.h"

namespace tensor::reference {

void adam_step(const AdamStep& s, const Tensor& g, const Tensor& w, const Tensor& m, const Tensor& v) {
  visit_float(w.dtype(), "adam_step", [&]<class T>() {
    const T* G = g.data<T>();
    T *W = w.data<T>(), *M = m.data<T>(), *V = v.data<T>();
    const T m_scale = T(1 - std::pow(s.beta1, double(s.step))), v_scale = T(1 - std::pow(s.beta2, double(s.step)));
    for (int64_t i = 0; i < w.size(); ++i) {
      const T gradient = G[i] + T(s.weight_decay) * W[i];
      M[i] = T(s.beta1) * M[i] + T(1 - s.beta1) * gradient;
      V[i] = T(s.beta2) * V[i] + T(1 - s.beta2) * gradient * gradient;
      W[i] -= T(s.learning_rate) * (M[i] / m_scale) / (std::sqrt(V[i] / v_scale) + T(s.epsilon));
    }
  });
}

void sgd_step(const SgdStep& s, const Tensor& g, const Tensor& w, const Tensor& velocity) {
  visit_float(w.dtype(), "sgd_step", [&]<class T>() {
    const T* G = g.data<T>();
    T *W = w.data<T>(), *U = velocity.data<T>();
    for (int64_t i = 0; i < w.size(); ++i) {
      U[i] = T(s.momentum) * U[i] + (G[i] + T(s.weight_decay) * W[i]);
      W[i] -= T(s.learning_rate) * U[i];
    }
  });
}

void add_updates(Backend& b) {
  b.adam_step = adam_step;
  b.sgd_step = sgd_step;
}

}  // namespace tensor::reference
