/// How far apart two tensors are.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tensor/tensor.h"

/// max_i |a_i - b_i|; 1e300 where either is NaN. Their shapes may differ, their sizes not.
inline double largest_difference(const tensor::Tensor& a, const tensor::Tensor& b) {
  const auto u = a.to_vector(), v = b.to_vector();
  REQUIRE(u.size() == v.size());
  double worst = 0;
  for (size_t i = 0; i < u.size(); ++i) {
    const double d = std::abs(u[i] - v[i]);
    worst = std::max(worst, std::isnan(d) ? 1e300 : d);
  }
  return worst;
}
