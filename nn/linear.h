/// The fully connected layer.
#pragma once
#include "nn/init.h"
#include "nn/module.h"

namespace nn {

struct LinearOptions {
  int64_t in, out;
  bool bias = true;
  bool before_relu = true;  ///< for He initialisation: a ReLU follows
};

/// y = x weight^T + bias, for each row of x. x: [..., in], weight: [out, in], bias: [out], y: [..., out].
/// Throws when in or out is below 1.
class Linear : public WeightedLayer {
 public:
  explicit Linear(const LinearOptions& options);
  Variable operator()(const Variable& x) const { return autograd::linear(x, weight, bias); }
  void initialize(const Initializer& init, const std::string& path) override;

  const LinearOptions options;
};

}  // namespace nn
