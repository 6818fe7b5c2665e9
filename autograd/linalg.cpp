/// The matrix product and its gradients.
#include "autograd/ops.h"

namespace autograd {

Variable matmul(const Variable& a, const Variable& b) {
  return record("matmul", tensor::matmul(a.value(), b.value()),
                {{b, [a = Saved(a)](const Tensor& dy) { return tensor::matmul(a.get(), dy, true, false); }},
                 {a, [b = Saved(b)](const Tensor& dy) { return tensor::matmul(dy, b.get(), false, true); }}});
}

}  // namespace autograd
