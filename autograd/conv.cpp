/// Convolution and its transpose: each is the other's gradient with respect to the image.
#include "autograd/in_place.h"
#include "autograd/ops.h"

namespace autograd {

namespace {

Tensor value_or_none(const Variable& v) { return v.defined() ? v.value() : Tensor(); }

}  // namespace

Variable conv2d(const Variable& x, const Variable& w, const Variable& b, const ConvOptions& options,
                Activation activation) {
  const Tensor y = tensor::conv2d(x.value(), w.value(), value_or_none(b), options, activation);
  // The weight before the image: a remade x is released before dx is allocated.
  Variable z = record("conv2d", y,
                      {{b, [](const Tensor& dy) { return tensor::sum_to_last(dy); }},
                       {w, [x = Saved(x), shape = w.shape(), options](
                               const Tensor& dy) { return tensor::conv2d_grad_weight(dy, x.get(), shape, options); }},
                       {x, [w = Saved(w), shape = x.shape(), options](const Tensor& dy) {
                          return tensor::conv2d_grad_input(dy, w.get(), shape, options);
                        }}});
  if (activation == Activation::none) return z;
  // One kernel, two nodes: the gradient of max(z, 0) is masked by its own result.
  return record("relu", y, {{z, [y](Tensor dy) { return zip_over(tensor::ReluGrad{}, std::move(dy), y); }}});
}

Variable conv_transpose2d(const Variable& x, const Variable& w, const Variable& b, const ConvOptions& options) {
  const tensor::Shape y = tensor::conv_transpose_shape(x.shape(), w.shape(), options);
  return record("conv_transpose2d", tensor::conv2d_grad_input(x.value(), w.value(), y, options, value_or_none(b)),
                {{b, [](const Tensor& dy) { return tensor::sum_to_last(dy); }},
                 {w, [x = Saved(x), shape = w.shape(),
                      options](const Tensor& dy) { return tensor::conv2d_grad_weight(x.get(), dy, shape, options); }},
                 {x, [w = Saved(w), options](const Tensor& dy) { return tensor::conv2d(dy, w.get(), {}, options); }}});
}

}  // namespace autograd
