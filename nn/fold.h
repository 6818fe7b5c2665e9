/// Batch norm folded into the convolution before it, for inference.
#pragma once
#include "nn/conv.h"
#include "nn/norm.h"

namespace nn {

/// norm(conv(x)) in evaluation mode as one convolution: weight_k rstd_k gamma_k, (bias_k - mean_k) rstd_k gamma_k +
/// beta_k.
struct FoldedConv {
  Tensor weight, bias;
  bool defined() const { return weight.defined(); }
};
/// Throws unless norm has as many channels as conv has filters and conv applies no activation of its own.
FoldedConv fold(const Conv2d& conv, const BatchNorm2d& norm);

/// y = norm(conv(x)) with the norm's activation: two ops, or one when `folded` is defined. Takes x so that its memory
/// is free as soon as it has been used.
Variable conv_norm(const Conv2d& conv, BatchNorm2d& norm, const FoldedConv& folded, Parts<Variable> x);

}  // namespace nn
