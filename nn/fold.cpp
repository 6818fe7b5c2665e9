/// Batch norm folded into the convolution before it.
#include "nn/fold.h"

#include <cmath>

namespace nn {

using tensor::check;

FoldedConv fold(const Conv2d& conv, const BatchNorm2d& norm) {
  check(conv.options.out == norm.options.channels, "fold: {} filters before a norm of {} channels", conv.options.out,
        norm.options.channels);
  check(conv.options.activation == tensor::Activation::none, "fold: an activation lies between convolution and norm");
  const auto gamma = norm.weight.value().to_vector(), beta = norm.bias.value().to_vector();
  const auto mean = norm.running_mean.to_vector(), variance = norm.running_var.to_vector();
  auto bias = conv.bias.defined() ? conv.bias.value().to_vector() : std::vector<double>(gamma.size(), 0.0);
  std::vector<double> scale(gamma.size());
  for (size_t k = 0; k < gamma.size(); ++k) {
    scale[k] = gamma[k] / std::sqrt(variance[k] + norm.options.epsilon);
    bias[k] = (bias[k] - mean[k]) * scale[k] + beta[k];
  }
  const Tensor& now = norm.bias.value();
  // The weights, which are many, stay on their device.
  return {tensor::scale_filters(conv.weight.value(), scale), tensor::visit_float(now.dtype(), "fold", [&]<class T>() {
            return Tensor::from(std::vector<T>(bias.begin(), bias.end()), now.shape(), now.device());
          })};
}

Variable conv_norm(const Conv2d& conv, BatchNorm2d& norm, const FoldedConv& folded, Parts<Variable> x) {
  if (folded.defined()) {
    check(!autograd::grad_enabled(), "conv_norm: folded weights have no gradient; call train() first or use NoGrad");
    return autograd::conv2d(x, Variable(folded.weight), Variable(folded.bias),
                            {.stride = conv.options.stride, .padding = conv.options.padding}, norm.options.activation);
  }
  const Variable y = conv(Parts(std::move(x)));
  return norm(y);
}

}  // namespace nn
