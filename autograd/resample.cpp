/// Resizing is linear, so its gradient is the transposed resize: nothing of the forward pass is kept.
#include "autograd/ops.h"

namespace autograd {

Variable resize(const Variable& x, int64_t height, int64_t width, ResizeMode mode) {
  return record("resize", tensor::resize(x.value(), height, width, mode),
                {{x, [shape = x.shape(), mode](const Tensor& dy) { return tensor::resize_grad(dy, shape, mode); }}});
}

}  // namespace autograd
