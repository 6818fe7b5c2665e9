/// THE table of op cases: gradient checks, parity of devices, repeatability and benchmarks all read it.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "autograd/ops.h"

namespace autograd {

/// How an input's values are drawn.
enum class Values {
  uniform,         ///< anywhere in [low, high)
  away_from_zero,  ///< magnitude at least a tenth of the range, so that no kink at 0 is near
  distinct         ///< no two closer than (high - low) / (2 count), so that no maximum is a tie
};

struct CaseInput {
  tensor::Shape shape;
  double low = -1, high = 1;
  Values values = Values::uniform;
  bool differentiable = true;  ///< false for a target
};

struct OpCase {
  std::string op;    ///< the function's name in autograd/ops.h
  std::string name;  ///< op and what is particular: "conv2d 3x3 stride 2"
  std::vector<CaseInput> inputs;
  std::function<Variable(const std::vector<Variable>&)> run;
  double flops = 0;         ///< of the forward pass; 0 when memory decides
  double tolerance = 1e-5;  ///< relative norm of the f32 error, values and gradients
};

/// Small cases with awkward shapes: for gradient checks and parity.
const std::vector<OpCase>& op_cases();
/// Cases of the size that networks have: for benchmarks.
const std::vector<OpCase>& large_op_cases();

/// The case's inputs, drawn in f64 and rounded to `dtype`; the same numbers on every device.
std::vector<Tensor> case_inputs(const OpCase& c, tensor::DType dtype, tensor::Device device, uint64_t seed = 1);

struct CaseResult {
  Tensor y;
  std::vector<Tensor> gradients;  ///< one an input; undefined where not differentiable
};
/// Runs the case and its backward pass along the cotangent that `seed` draws (shape of y, uniform in [-1, 1)).
CaseResult run_case(const OpCase& c, const std::vector<Tensor>& inputs, uint64_t seed = 1);
/// The same along a given cotangent.
CaseResult run_case(const OpCase& c, const std::vector<Tensor>& inputs, const Tensor& cotangent);
/// The cotangent of run_case.
Tensor case_cotangent(const tensor::Shape& y, tensor::DType dtype, tensor::Device device, uint64_t seed = 1);

}  // namespace autograd
