/// Max pooling and unpooling; both remember only where each maximum was.
#include "autograd/ops.h"

namespace autograd {

Pooled max_pool2d(const Variable& x, int64_t kernel, int64_t stride) {
  const tensor::Pooled pooled = tensor::max_pool(x.value(), kernel, stride);
  Variable y =
      record("max_pool2d", pooled.y, {{x, [index = pooled.index, shape = x.shape(), kernel, stride](const Tensor& dy) {
                                         return tensor::max_pool_grad(dy, index, shape, kernel, stride);
                                       }}});
  return {y, pooled.index, x.shape(), kernel, stride};
}

Variable max_unpool2d(const Variable& x, const Pooled& pooled) {
  return record("max_unpool2d",
                tensor::max_unpool(x.value(), pooled.index, pooled.x_shape, pooled.kernel, pooled.stride),
                {{x, [index = pooled.index, kernel = pooled.kernel, stride = pooled.stride](const Tensor& dy) {
                    return tensor::max_unpool_grad(dy, index, kernel, stride);
                  }}});
}

}  // namespace autograd
