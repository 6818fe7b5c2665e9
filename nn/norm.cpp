/// Training normalises by the batch and moves the running statistics towards it; evaluation uses those.
#include "nn/norm.h"

namespace nn {

BatchNorm2d::BatchNorm2d(const BatchNormLayerOptions& o) : options(o) {
  tensor::check(o.channels > 0, "BatchNorm2d: {} channels; at least 1 is needed", o.channels);
  const auto filled = [&](double value) {
    return tensor::full({o.channels}, value, tensor::DType::f32, tensor::Device::cpu);
  };
  weight = Variable(filled(1), true);
  bias = Variable(filled(0), true);
  running_mean = filled(0);
  running_var = filled(1);
}

Variable BatchNorm2d::operator()(const Variable& x) {
  Variable y = autograd::batch_norm(x, weight, bias, running_mean, running_var,
                                    {.training = training(),
                                     .momentum = options.momentum,
                                     .epsilon = options.epsilon,
                                     .activation = options.activation});
  if (training()) ++num_batches_tracked;
  return y;
}

void BatchNorm2d::visit(Visitor& v) {
  v.parameter("weight", weight);
  v.parameter("bias", bias);
  v.buffer("running_mean", running_mean);
  v.buffer("running_var", running_var);
  v.counter("num_batches_tracked", num_batches_tracked);
}

void BatchNorm2d::initialize(const Initializer&, const std::string&) {
  weight.set_value(tensor::full_like(weight.value(), 1));
  bias.set_value(tensor::full_like(bias.value(), 0));
  running_mean = tensor::full_like(running_mean, 0);
  running_var = tensor::full_like(running_var, 1);
  num_batches_tracked = 0;
}

}  // namespace nn
