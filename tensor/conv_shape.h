/// Extents and index arithmetic of a convolution, host and device.
#pragma once
#include <cstdint>

#include "tensor/host_device.h"

namespace tensor {

/// Stride and zero padding, the same along both axes.
struct ConvOptions {
  int64_t stride = 1, padding = 0;
};

/// What a convolution applies to its result before the store.
enum class Activation { none, relu };

/// One convolution: x[n,h,w,c] * weight[k,r,s,c] -> y[n,p,q,k], p = (h + 2 padding - r) / stride + 1 rounded down.
struct ConvShape {
  int64_t n, h, w, c, k, r, s, p, q, stride, padding;
  /// Input row that tap `r_` of output row `p_` reads; outside [0, h) means zero padding.
  HD int64_t row(int64_t p_, int64_t r_) const { return p_ * stride + r_ - padding; }
  /// Input column that tap `s_` of output column `q_` reads; outside [0, w) means zero padding.
  HD int64_t col(int64_t q_, int64_t s_) const { return q_ * stride + s_ - padding; }
  /// Of stride 1 and square windows: the convolution of dy that is the input's gradient, by the weight turned about its
  /// centre.
  HD ConvShape turned() const { return {n, p, q, k, c, r, s, h, w, 1, r - 1 - padding}; }
  /// Multiplications and additions of one pass, padding counted.
  HD double flops() const { return 2.0 * n * p * q * k * r * s * c; }
};

/// y from x, dx from dy, dw from dy and x.
enum class ConvPass { forward, grad_input, grad_weight };

}  // namespace tensor
