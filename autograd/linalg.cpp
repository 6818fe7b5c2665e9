/// y = a b, so da = dy b^T and db = a^T dy: two more products, without a transposed copy. A linear map is a convolution
/// of an image that is one row of pixels.
#include "autograd/ops.h"

namespace autograd {

Variable matmul(const Variable& a, const Variable& b) {
  return record("matmul", tensor::matmul(a.value(), b.value()),
                {{b, [a = Saved(a)](const Tensor& dy) { return tensor::matmul(a.get(), dy, true, false); }},
                 {a, [b = Saved(b)](const Tensor& dy) { return tensor::matmul(dy, b.get(), false, true); }}});
}

Variable linear(const Variable& x, const Variable& w, const Variable& b) {
  const tensor::Shape &in = x.shape(), &weight = w.shape();
  tensor::check(in.rank() >= 1 && weight.rank() == 2 && in[-1] == weight[1],
                "linear: x {} does not fit weight {}; the last extents must be equal", in, weight);
  const int64_t rows = in[-1] ? in.count() / in[-1] : 0;
  const Variable y = conv2d(reshape(x, {1, 1, rows, in[-1]}), reshape(w, {weight[0], 1, 1, weight[1]}), b, {});
  return reshape(y, in.with(-1, weight[0]));
}

}  // namespace autograd
