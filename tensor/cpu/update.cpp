/// Parameter updates: gradient, weight and moments, [n] each, in one pass.
#include <cmath>

#include "tensor/backend.h"
#include "tensor/cpu/parallel.h"

namespace tensor::cpu {
namespace {

constexpr int64_t kChunkWeights = 1 << 14;

}  // namespace

void adam_step(const AdamStep& s, const Tensor& g, const Tensor& w, const Tensor& m, const Tensor& v) {
  const float beta1 = float(s.beta1), beta2 = float(s.beta2), rest1 = float(1 - s.beta1), rest2 = float(1 - s.beta2);
  const AdamFactors factors = adam_factors(s);
  const float rate = float(factors.rate), correction = float(factors.correction);
  const float epsilon = float(s.epsilon), decay = float(s.weight_decay);
  const float* gradient = g.data<float>();
  float *weight = w.data<float>(), *first = m.data<float>(), *second = v.data<float>();
  parallel_for(w.size(), kChunkWeights, [=](int64_t begin, int64_t end) {
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) {
      const float d = gradient[i] + decay * weight[i];
      const float a = beta1 * first[i] + rest1 * d, b = beta2 * second[i] + rest2 * d * d;
      first[i] = a;
      second[i] = b;
      weight[i] -= rate * a / (std::sqrt(b) * correction + epsilon);
    }
  });
}

void sgd_step(const SgdStep& s, const Tensor& g, const Tensor& w, const Tensor& velocity) {
  const float rate = float(s.learning_rate), momentum = float(s.momentum), decay = float(s.weight_decay);
  const float* gradient = g.data<float>();
  float *weight = w.data<float>(), *speed = velocity.data<float>();
  parallel_for(w.size(), kChunkWeights, [=](int64_t begin, int64_t end) {
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) {
      const float d = gradient[i] + decay * weight[i], next = momentum * speed[i] + d;
      speed[i] = next;
      weight[i] -= rate * next;
    }
  });
}

void add_updates(Backend& b) {
  b.adam_step = adam_step;
  b.sgd_step = sgd_step;
}

}  // namespace tensor::cpu
