/// What the tests share: tensors from plain numbers, and comparisons of tensors.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "tensor/dispatch.h"
#include "tensor/ops.h"
#include "tensor/relative_error.h"
#include "tests/message.h"

/// f64 on the reference, where hand-computed numbers are exact.
inline tensor::Tensor numbers(const std::vector<double>& values, const tensor::Shape& shape) {
  return tensor::Tensor::from(values, shape, tensor::Device::reference);
}

/// Checks that t holds `expected`, each within 1e-12 of its size.
inline void check_values(const tensor::Tensor& t, const std::vector<double>& expected) {
  INFO(t.to_string());
  const std::vector<double> got = t.to_vector();
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CAPTURE(got[i]);
    CAPTURE(expected[i]);
    CHECK((got[i] == expected[i] || got[i] == doctest::Approx(expected[i]).epsilon(1e-12)));
  }
}

/// Uniform in [low, high), f64, on the reference.
inline tensor::Tensor random_tensor(const tensor::Shape& shape, uint64_t seed, double low = -1, double high = 1) {
  return tensor::uniform({seed, 7, 0}, shape, low, high, tensor::DType::f64, tensor::Device::reference);
}

inline double dot(const tensor::Tensor& a, const tensor::Tensor& b) {
  return sum(zip(tensor::Multiply{}, a, b)).item();
}

/// Whether both have the same shape, type and bytes.
inline bool same_bits(const tensor::Tensor& a, const tensor::Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const tensor::Tensor x = a.to(tensor::Device::reference), y = b.to(tensor::Device::reference);
  return x.bytes() == 0 || std::memcmp(x.raw(), y.raw(), size_t(x.bytes())) == 0;
}

inline double relative_error(const tensor::Tensor& got, const tensor::Tensor& want) {
  return tensor::relative_error(got.to_vector(), want.to_vector());
}

/// An output that no kernel wrote yet: NaN everywhere, 255 in the bytes of integers.
inline tensor::Tensor poisoned(const tensor::Shape& shape, tensor::DType dtype, tensor::Device device) {
  using tensor::DType;
  if (dtype == DType::f32 || dtype == DType::f64 || dtype == DType::bf16)
    return tensor::full(shape, std::nan(""), dtype, device);
  const tensor::Tensor y(shape, dtype, tensor::Device::reference);
  if (y.bytes() > 0) std::memset(y.raw(), 255, size_t(y.bytes()));
  return y.to(device);
}
