/// Convolution and its transpose: each is the other's gradient with respect to the image.
#include <numeric>

#include "autograd/ops.h"

namespace autograd {

namespace {

Tensor value_or_none(const Variable& v) { return v.defined() ? v.value() : Tensor(); }

Parts<Tensor> values_of(const Parts<Variable>& x) {
  std::vector<Tensor> values;
  for (const Variable& part : x) values.push_back(part.value());
  return Parts(std::move(values));
}

}  // namespace

Variable conv2d(const Parts<Variable>& x, const Variable& w, const Variable& b, const ConvOptions& options,
                Activation activation) {
  const Tensor y = tensor::conv2d(values_of(x), w.operand(), value_or_none(b), options, activation);
  std::vector<Saved> saved;
  std::vector<int64_t> channels;
  for (const Variable& part : x) {
    saved.emplace_back(part);
    channels.push_back(part.shape()[-1]);
  }
  std::vector<std::pair<Variable, Pull>> gradients{
      {b, [](const Tensor& dy) { return tensor::sum_to_last(dy); }},
      // Before the image: a remade x is released before dx is allocated.
      {w, [saved = std::move(saved), shape = w.shape(), options](const Tensor& dy) {
         std::vector<Tensor> parts;
         for (const Saved& part : saved) parts.push_back(part.get());
         return tensor::conv2d_grad_weight(dy, Parts(std::move(parts)), shape, options);
       }}};
  const tensor::Shape shape = x[0].shape().with(-1, std::reduce(channels.begin(), channels.end()));
  // Made together by whichever part's formula runs first.
  const auto dx = std::make_shared<std::vector<Tensor>>();
  for (size_t i = 0; i < x.size(); ++i)
    gradients.emplace_back(x[i], [=, w = w.operand()](const Tensor& dy) {
      if (dx->empty()) *dx = tensor::conv2d_grad_parts(dy, w, shape, channels, options);
      return std::move((*dx)[i]);
    });
  const Variable z = record("conv2d", y, std::move(gradients));
  if (activation == Activation::none) return z;
  // One kernel, two nodes: the gradient of max(z, 0) is masked by its own result.
  return record("relu", y, {{z, [y](Tensor dy) { return tensor::zip(tensor::ReluGrad{}, std::move(dy), y); }}});
}

Variable conv_transpose2d(const Variable& x, const Variable& w, const Variable& b, const ConvOptions& options) {
  const tensor::Shape y = tensor::conv_transpose_shape(x.shape(), w.shape(), options);
  return record("conv_transpose2d", tensor::conv2d_grad_input(x.value(), w.operand(), y, options, value_or_none(b)),
                {{b, [](const Tensor& dy) { return tensor::sum_to_last(dy); }},
                 {w, [x = Saved(x), shape = w.shape(),
                      options](const Tensor& dy) { return tensor::conv2d_grad_weight(x.get(), dy, shape, options); }},
                 {x, [w = w.operand(), options](const Tensor& dy) { return tensor::conv2d(dy, w, {}, options); }}});
}

}  // namespace autograd
