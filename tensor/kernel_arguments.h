/// What kernels are told beside their tensors.
#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "tensor/conv_shape.h"
#include "tensor/tensor.h"

namespace tensor {

/// What batch norm needs besides its gradient. x: [..., C]; mean, rstd, gamma, beta: [C].
/// xhat = (x - mean) rstd; z = gamma xhat + beta; y = z, or max(z, 0) with Activation::relu.
struct BatchNorm {
  const Tensor &x, &mean, &rstd, &gamma, &beta;
  Activation activation = Activation::none;
};

/// `count` channels of an image [..., C], from `first` on.
struct ChannelRange {
  const Tensor& image;
  int64_t first, count;
};

/// y[m,n] = op(a) op(b), a stored [m,k] (or [k,m] when transpose_a), b stored [k,n] (or [n,k] when transpose_b).
struct MatmulShape {
  int64_t m, n, k;
  bool transpose_a = false, transpose_b = false;
};

/// Around a Gaussian filter K: y[i] = after[i] sum_j K[i,j] before[j] x[j], of image `image` of a batch.
/// x, y: [images, points, c], of which only this image is read and written; before, after: [points], or undefined
/// for 1.
struct GaussianPass {
  int64_t image = 0;
  bool transpose = false;  ///< K's transpose
  Tensor before, after;
};

/// One Adam update; `step` counts from 1. Kingma & Ba 2015, epsilon added after bias correction as in PyTorch.
struct AdamStep {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  int64_t step = 1;
};

/// The two numbers of an AdamStep that change from step to step: w -= rate m / (sqrt(v) correction + epsilon).
struct AdamFactors {
  double rate, correction;
};
/// rate = learning_rate / (1 - beta1^step), correction = 1 / sqrt(1 - beta2^step).
inline AdamFactors adam_factors(const AdamStep& s) {
  return {s.learning_rate / (1 - std::pow(s.beta1, double(s.step))),
          1 / std::sqrt(1 - std::pow(s.beta2, double(s.step)))};
}

/// A parameter's part in an Adam step over many.
struct AdamUpdate {
  AdamStep step;
  Tensor g, w, m, v;
};

/// What a training pass of batch norm does to its running values: they move by `momentum` toward the batch's, the
/// variance toward `correction` times the batch's (biased) one.
struct RunningUpdate {
  double momentum, correction, epsilon;
};

/// One update of stochastic gradient descent with momentum.
struct SgdStep {
  double learning_rate = 1e-2, momentum = 0, weight_decay = 0;
};

}  // namespace tensor
