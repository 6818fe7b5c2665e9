/// Where a network's numbers become what its activations are kept as, and where they become f32 again.
#pragma once
#include "autograd/ops.h"
#include "nn/module.h"

namespace nn {

/// What activations of parameters like `t` are kept as in the present precision: bf16 in precision bf16 on cuda,
/// elsewhere as the parameters.
inline tensor::DType activation_type(const tensor::Tensor& t) {
  return tensor::backend(t.device()).activation_type(t.dtype());
}

/// x as its device keeps activations. Every layer then gives what it is given; weights, statistics and their gradients
/// stay f32.
inline autograd::Variable to_activations(const autograd::Variable& x) {
  return autograd::cast(x, activation_type(x.value()));
}

/// An activation as losses and probabilities are computed: f32 where it is bf16, else x itself.
inline autograd::Variable from_activations(const autograd::Variable& x) {
  return autograd::cast(x, tensor::wide(x.value().dtype()));
}

/// While one lives, a module's convolutions read copies of their weights in the activations' type, made all at once and
/// kept for the backward pass. One forward pass long, for it does not see a weight change.
class RoundedWeights {
 public:
  explicit RoundedWeights(Module& module) {
    std::vector<tensor::Tensor> values;
    tensor::DType type = tensor::DType::f32;
    for (const auto& p : module.parameters()) {
      const tensor::Tensor& v = p.value->value();
      if (v.shape().rank() != 4 || activation_type(v) == v.dtype()) continue;  // 4 axes: of a convolution
      weights_.push_back(*p.value);
      values.push_back(v);
      type = activation_type(v);
    }
    const std::vector<tensor::Tensor> copies = tensor::cast_all(values, type);
    for (size_t i = 0; i < copies.size(); ++i) weights_[i].set_operand(copies[i]);
  }
  ~RoundedWeights() {
    for (const autograd::Variable& w : weights_) w.set_operand({});
  }
  RoundedWeights(const RoundedWeights&) = delete;
  RoundedWeights& operator=(const RoundedWeights&) = delete;

 private:
  std::vector<autograd::Variable> weights_;
};

}  // namespace nn
