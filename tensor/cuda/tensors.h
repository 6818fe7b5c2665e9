/// From the contract's tensors to what kernels are launched with. Host code only.
#pragma once
#include "tensor/backend.h"
#include "tensor/bfloat16.h"

namespace tensor::cuda {

/// So many parameters are updated or watched by one launch: their table is a kernel's argument.
constexpr int kTensorsInLaunch = 48;

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

template <class T>
T* or_null(const Tensor& t) {
  return t.defined() ? t.data<T>() : nullptr;
}

/// Memory that a kernel needs while it runs: freed in the order of the stream, for the arena is used by one stream.
inline Tensor workspace(int64_t count, DType dtype) { return Tensor({count}, dtype, Device::cuda); }

}  // namespace tensor::cuda
