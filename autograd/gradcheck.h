/// Compares the gradients of an op case with central differences.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "autograd/op_cases.h"

namespace autograd {

struct GradientError {
  size_t input;         ///< which of the case's inputs
  double elements = 0;  ///< of the partial derivatives that were sampled: |numeric - analytic| / |numeric|
  double direction =
      0;  ///< of the derivative along one random direction through all elements, relative to |gradient| |direction|
  double worst() const { return elements > direction ? elements : direction; }
};

/// In f64 on the reference, with L = sum(y * cotangent) for the cotangent that `seed` draws:
/// numeric dL/dx_i = (L(x + h e_i) - L(x - h e_i)) / 2h for at most 32 elements of each differentiable input, and along
/// a direction.
std::vector<GradientError> gradcheck(const OpCase& c, uint64_t seed = 1);

using Function = std::function<std::vector<Variable>()>;
using Cotangent = std::function<Tensor(size_t output, const tensor::Shape& shape)>;
/// The slope of L = sum over outputs i of sum(y_i cotangent_i) along `direction` in x: (L(x + h d) - L(x - h d)) / 2h.
/// `outputs` computes all y from x's present value, in f64 on the reference. Differences are taken before the sum,
/// where less cancels.
double central_difference(const Function& outputs, const Cotangent& cotangent, Variable& x,
                          const std::vector<double>& direction, double h);

}  // namespace autograd
