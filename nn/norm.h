/// Batch normalisation as a layer: parameters, and the running statistics that evaluation uses.
#pragma once
#include "nn/init.h"
#include "nn/module.h"

namespace nn {

struct BatchNormLayerOptions {
  int64_t channels;
  double momentum = 0.1, epsilon = 1e-5;
  tensor::Activation activation = tensor::Activation::none;  ///< applied in the same pass
};

/// y = act(weight (x - mean) / sqrt(var + epsilon) + bias): batch statistics in training, running ones in evaluation.
/// x, y: [..., channels].  Source: Ioffe & Szegedy 2015.
class BatchNorm2d : public Module {
 public:
  explicit BatchNorm2d(const BatchNormLayerOptions& options);
  Variable operator()(const Variable& x);
  void visit(Visitor& v) override;
  /// weight 1, bias 0, running mean 0, running variance 1.
  void initialize(const Initializer& init, const std::string& path) override;

  const BatchNormLayerOptions options;
  Variable weight, bias;
  Tensor running_mean, running_var;
  int64_t num_batches_tracked = 0;
};

}  // namespace nn
