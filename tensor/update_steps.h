/// The numbers of one update of the weights.
#pragma once
#include <cmath>
#include <cstdint>

namespace tensor {

/// One Adam update; `step` counts from 1. Kingma & Ba 2015, epsilon added after bias correction as in PyTorch.
struct AdamStep {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  int64_t step = 1;
};

/// Of an AdamStep, what changes from step to step: w -= rate m / (sqrt(v) correction + epsilon).
struct AdamFactors {
  double rate, correction;
};
/// rate = learning_rate / (1 - beta1^step), correction = 1 / sqrt(1 - beta2^step).
inline AdamFactors adam_factors(const AdamStep& s) {
  return {s.learning_rate / (1 - std::pow(s.beta1, double(s.step))),
          1 / std::sqrt(1 - std::pow(s.beta2, double(s.step)))};
}

/// One update of stochastic gradient descent with momentum.
struct SgdStep {
  double learning_rate = 1e-2, momentum = 0, weight_decay = 0;
};

}  // namespace tensor
