/// How far numbers are from those that they should be.
#pragma once
#include <cmath>
#include <vector>

#include "tensor/check.h"

namespace tensor {

/// |got - want| / |want| over all elements, Euclidean; |got - want| when want is zero. NaN when a number is NaN.
/// Throws when the sizes differ.
inline double relative_error(const std::vector<double>& got, const std::vector<double>& want) {
  check(got.size() == want.size(), "relative_error: {} and {} values", got.size(), want.size());
  double difference = 0, norm = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    difference += (got[i] - want[i]) * (got[i] - want[i]);
    norm += want[i] * want[i];
  }
  return std::sqrt(norm > 0 ? difference / norm : difference);
}

}  // namespace tensor
