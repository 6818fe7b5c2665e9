/// Where a network's numbers become what its activations are kept as, and where they become f32 again.
#pragma once
#include "autograd/ops.h"

namespace nn {

/// x as its device keeps activations in the present precision: bf16 in precision bf16 on cuda, elsewhere x itself.
/// Every layer then gives what it is given; weights, statistics and their gradients stay f32.
inline autograd::Variable to_activations(const autograd::Variable& x) {
  const tensor::Tensor& v = x.value();
  return autograd::cast(x, tensor::backend(v.device()).activation_type(v.dtype()));
}

/// An activation as losses and probabilities are computed: f32 where it is bf16, else x itself.
inline autograd::Variable from_activations(const autograd::Variable& x) {
  return autograd::cast(x, tensor::wide(x.value().dtype()));
}

}  // namespace nn
