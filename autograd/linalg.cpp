/// y = a b, so da = dy b^T and db = a^T dy: two more products, without a transposed copy.
#include "autograd/ops.h"

namespace autograd {

Variable matmul(const Variable& a, const Variable& b) {
  return record("matmul", tensor::matmul(a.value(), b.value()),
                {{b, [a = Saved(a)](const Tensor& dy) { return tensor::matmul(a.get(), dy, true, false); }},
                 {a, [b = Saved(b)](const Tensor& dy) { return tensor::matmul(dy, b.get(), false, true); }}});
}

}  // namespace autograd
