/// The layer keeps the parameters; the arithmetic is that of autograd/linalg.cpp.
#include "nn/linear.h"

namespace nn {

Linear::Linear(const LinearOptions& o) : options(o) {
  tensor::check(o.in > 0 && o.out > 0, "Linear: {} values to {}: both must be at least 1", o.in, o.out);
  weight = zero_parameter({o.out, o.in});
  if (o.bias) bias = zero_parameter({o.out});
  initialize_made(*this);
}

void Linear::visit(Visitor& v) {
  v.parameter("weight", weight);
  if (bias.defined()) v.parameter("bias", bias);
}

void Linear::initialize(const Initializer& init, const std::string& path) {
  const WeightFans fans{double(options.in), double(options.in), options.before_relu};
  init.weight(below(path, "weight"), fans, weight);
  if (bias.defined()) init.bias(below(path, "bias"), fans, bias);
}

}  // namespace nn
