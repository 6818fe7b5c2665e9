/// Element-wise steps of gradient formulas that overwrite their argument when nobody else holds it.
#pragma once
#include "tensor/ops.h"

namespace autograd {

/// op(x), in x's memory if that is unique.
inline tensor::Tensor map_over(const tensor::MapOp& op, tensor::Tensor x) {
  if (!x.unique()) return tensor::map(op, x);
  tensor::backend(x.device()).map(op, x, x);
  return x;
}

/// op(a, b), in a's memory if that is unique. b: a's shape, one row or one element.
inline tensor::Tensor zip_over(const tensor::ZipOp& op, tensor::Tensor a, const tensor::Tensor& b) {
  if (!a.unique()) return tensor::zip(op, a, b);
  tensor::backend(a.device()).zip(op, a, b, a);
  return a;
}

}  // namespace autograd
