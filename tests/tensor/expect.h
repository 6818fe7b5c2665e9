/// What the tests of this folder share: tensors from plain numbers, and the message of a failure.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tensor/ops.h"

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

/// The message of the Error that f throws; fails the test when it throws none.
template <class F>
std::string message(F f) {
  try {
    f();
  } catch (const tensor::Error& error) {
    return error.what();
  }
  FAIL("no Error was thrown");
  return {};
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Uniform in [low, high), f64, on the reference.
inline tensor::Tensor random_tensor(const tensor::Shape& shape, uint64_t seed, double low = -1, double high = 1) {
  return tensor::uniform({seed, 7, 0}, shape, low, high, tensor::DType::f64, tensor::Device::reference);
}

inline double dot(const tensor::Tensor& a, const tensor::Tensor& b) {
  return sum(zip(tensor::Multiply{}, a, b)).item();
}
