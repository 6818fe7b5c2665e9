/// Element-wise functions, reductions and concatenation, each with its gradient table.
#include "autograd/ops.h"

namespace autograd {

using tensor::check;
using tensor::Shape;

namespace {

/// The gradient of an operand that was repeated to dy's shape: dy summed over the repetitions.
Tensor sum_repeats(const Tensor& dy, const Shape& operand) {
  if (dy.size() == operand.count()) return dy.reshape(operand);
  return (operand.count() == 1 ? tensor::sum(dy) : tensor::sum_to_last(dy)).reshape(operand);
}

/// scale * dy everywhere in `shape`; dy: [1].
Tensor spread(const Tensor& dy, const Shape& shape, double scale) {
  return tensor::zip(tensor::Multiply{}, tensor::full(shape, scale, dy.dtype(), dy.device()), dy);
}

}  // namespace

Variable add(const Variable& a, const Variable& b) {
  return record("add", tensor::zip(tensor::Add{}, a.value(), b.value()),
                {{b, [shape = b.shape()](const Tensor& dy) { return sum_repeats(dy, shape); }},
                 {a, [](Tensor dy) { return dy; }}});
}

Variable subtract(const Variable& a, const Variable& b) {
  return record("subtract", tensor::zip(tensor::Subtract{}, a.value(), b.value()),
                {{a, [](const Tensor& dy) { return dy; }},
                 {b, [shape = b.shape()](Tensor dy) {
                    if (dy.size() == shape.count())
                      return tensor::map(tensor::Affine{-1, 0}, std::move(dy)).reshape(shape);
                    return tensor::map(tensor::Affine{-1, 0}, sum_repeats(dy, shape));
                  }}});
}

Variable multiply(const Variable& a, const Variable& b) {
  return record(
      "multiply", tensor::zip(tensor::Multiply{}, a.value(), b.value()),
      {{b, [a = Saved(a), shape = b.shape()](
               const Tensor& dy) { return sum_repeats(tensor::zip(tensor::Multiply{}, dy, a.get()), shape); }},
       {a, [b = Saved(b)](Tensor dy) { return tensor::zip(tensor::Multiply{}, std::move(dy), b.get()); }}});
}

Variable affine(const Variable& x, double scale, double shift) {
  return record("affine", tensor::map(tensor::Affine{scale, shift}, x.value()),
                {{x, [scale](Tensor dy) {
                    return tensor::map(tensor::Affine{scale, 0}, std::move(dy));
                  }}});
}

Variable relu(const Variable& x) {
  Tensor y = tensor::map(tensor::Relu{}, x.value());
  return record("relu", y, {{x, [y](Tensor dy) { return tensor::zip(tensor::ReluGrad{}, std::move(dy), y); }}});
}

Variable sigmoid(const Variable& x) {
  Tensor y = tensor::map(tensor::Sigmoid{}, x.value());
  return record("sigmoid", y, {{x, [y](Tensor dy) { return tensor::zip(tensor::SigmoidGrad{}, std::move(dy), y); }}});
}

Variable tanh(const Variable& x) {
  Tensor y = tensor::map(tensor::Tanh{}, x.value());
  return record("tanh", y, {{x, [y](Tensor dy) { return tensor::zip(tensor::TanhGrad{}, std::move(dy), y); }}});
}

Variable exp(const Variable& x) {
  Tensor y = tensor::map(tensor::Exp{}, x.value());
  return record("exp", y, {{x, [y](Tensor dy) { return tensor::zip(tensor::Multiply{}, std::move(dy), y); }}});
}

Variable log(const Variable& x) {
  return record("log", tensor::map(tensor::Log{}, x.value()),
                {{x, [x = Saved(x)](Tensor dy) { return tensor::zip(tensor::Divide{}, std::move(dy), x.get()); }}});
}

Variable softmax(const Variable& x) {
  Tensor y = tensor::softmax(x.value());
  return record("softmax", y, {{x, [y](const Tensor& dy) { return tensor::softmax_grad(dy, y); }}});
}

Variable dropout(const Variable& x, double p, const RandomKey& key) {
  return record("dropout", tensor::dropout(key, p, x.value()),
                {{x, [key, p](const Tensor& dy) { return tensor::dropout(key, p, dy); }}});
}

Variable cast(const Variable& x, tensor::DType dtype) {
  if (x.value().dtype() == dtype) return x;
  return record("cast", tensor::cast(x.value(), dtype),
                {{x, [from = x.value().dtype()](const Tensor& dy) { return tensor::cast(dy, from); }}});
}

Variable reshape(const Variable& x, const Shape& shape) {
  return record("reshape", x.value().reshape(shape),
                {{x, [from = x.shape()](const Tensor& dy) { return dy.reshape(from); }}},
                [x = Saved(x), shape] { return x.get().reshape(shape); });
}

Variable sum(const Variable& x) {
  return record("sum", tensor::sum(x.value()),
                {{x, [shape = x.shape()](const Tensor& dy) { return spread(dy, shape, 1); }}});
}

Variable mean(const Variable& x) {
  check(x.shape().count() > 0, "mean: {} has no elements", x.shape());
  const double scale = 1.0 / double(x.shape().count());
  return record("mean", tensor::map(tensor::Affine{scale, 0}, tensor::sum(x.value())),
                {{x, [shape = x.shape(), scale](const Tensor& dy) { return spread(dy, shape, scale); }}});
}

Variable concat(const std::vector<Variable>& parts) {
  check(!parts.empty(), "concat: nothing to join");
  std::vector<Tensor> values;
  std::vector<Saved> saved;
  std::vector<std::pair<Variable, Pull>> gradients;
  int64_t first = 0;
  for (const Variable& part : parts) {
    const int64_t count = part.shape()[-1];
    values.push_back(part.value());
    saved.emplace_back(part);
    gradients.emplace_back(part, [first, count](const Tensor& dy) { return tensor::channels(dy, first, count); });
    first += count;
  }
  return record("concat", tensor::concat(values), std::move(gradients), [saved = std::move(saved)] {
    std::vector<Tensor> again;
    for (const Saved& part : saved) again.push_back(part.get());
    return tensor::concat(again);
  });
}

}  // namespace autograd
