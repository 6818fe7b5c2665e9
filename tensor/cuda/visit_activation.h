/// From the run-time element type of an activation to a compile-time one. Host code only.
#pragma once
#include "tensor/tensor.h"

namespace tensor::cuda {

/// visit_float, and BFloat16 for bf16.
template <class F>
auto visit_activation(DType t, const char* what, F&& f) {
  return t == DType::bf16 ? f.template operator()<BFloat16>() : visit_float(t, what, f);
}
/// What tensor cores serve: float or BFloat16.
template <class F>
auto visit_mma(DType t, F&& f) {
  return t == DType::bf16 ? f.template operator()<BFloat16>() : f.template operator()<float>();
}

}  // namespace tensor::cuda
