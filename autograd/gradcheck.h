/// Compares the gradients of an op case with central differences.
#pragma once
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

/// |a - b| / |b| over all elements, Euclidean; |a - b| when b is zero. Throws when the sizes differ.
double relative_error(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace autograd
