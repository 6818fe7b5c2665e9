/// How a case is run: its inputs are drawn by place, so that every dtype and device starts from the same numbers.
#include <algorithm>
#include <numeric>

#include "autograd/op_cases.h"

namespace autograd {

using tensor::DType;
using tensor::Shape;

namespace {

tensor::Tensor draw(const CaseInput& input, const tensor::RandomKey& key) {
  const int64_t count = input.shape.count();
  const double range = input.high - input.low;
  std::vector<double> values(size_t(count), 0);
  if (input.values == Values::distinct) {
    std::vector<int64_t> order(values.size());
    std::iota(order.begin(), order.end(), int64_t(0));
    tensor::shuffle(order, key);
    for (size_t i = 0; i < values.size(); ++i) values[i] = input.low + range * (double(order[i]) + 0.5) / double(count);
  } else {
    for (size_t i = 0; i < values.size(); ++i) {
      double v = input.low + range * tensor::uniform(key, i);
      if (input.values == Values::away_from_zero) v = (v < 0 ? -0.1 : 0.1) * range + 0.8 * v;
      values[i] = v;
    }
  }
  return tensor::Tensor::from(values, input.shape, tensor::Device::reference);
}

}  // namespace

std::vector<Tensor> case_inputs(const OpCase& c, DType dtype, tensor::Device device, uint64_t seed) {
  std::vector<Tensor> inputs;
  for (const CaseInput& input : c.inputs) {
    // Through f32, so that every dtype and device starts from the same numbers.
    const Tensor rounded = tensor::cast(draw(input, {seed, uint32_t(inputs.size()), 0}), DType::f32);
    inputs.push_back(tensor::cast(rounded, dtype).to(device));
  }
  return inputs;
}

Tensor case_cotangent(const Shape& y, DType dtype, tensor::Device device, uint64_t seed) {
  const Tensor rounded = tensor::cast(draw({y}, {seed, 1000, 0}), DType::f32);
  return tensor::cast(rounded, dtype).to(device);
}

namespace {

std::vector<Variable> leaves_of(const OpCase& c, const std::vector<Tensor>& inputs) {
  std::vector<Variable> leaves;
  for (size_t i = 0; i < inputs.size(); ++i) leaves.emplace_back(inputs[i], c.inputs[i].differentiable);
  return leaves;
}

CaseResult pulled_back(const Variable& y, const Tensor& cotangent, const std::vector<Variable>& leaves) {
  backward(y, cotangent);
  CaseResult result{y.value(), {}};
  for (const Variable& leaf : leaves) result.gradients.push_back(leaf.grad());
  return result;
}

}  // namespace

CaseResult run_case(const OpCase& c, const std::vector<Tensor>& inputs, const Tensor& cotangent) {
  const std::vector<Variable> leaves = leaves_of(c, inputs);
  return pulled_back(c.run(leaves), cotangent, leaves);
}

CaseResult run_case(const OpCase& c, const std::vector<Tensor>& inputs, uint64_t seed) {
  const std::vector<Variable> leaves = leaves_of(c, inputs);
  const Variable y = c.run(leaves);
  return pulled_back(y, case_cotangent(y.shape(), y.value().dtype(), y.value().device(), seed), leaves);
}

}  // namespace autograd
