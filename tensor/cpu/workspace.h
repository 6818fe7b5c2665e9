/// Working memory of a kernel, from the arena of Device::cpu, so that the memory statistics count it.
#pragma once
#include <cstdint>

#include "tensor/tensor.h"

namespace tensor::cpu {

/// `floats` of uninitialised memory, 256-byte aligned. Made by the calling thread, never inside a parallel region.
class Workspace {
 public:
  explicit Workspace(int64_t floats) : memory_(Shape{floats}, DType::f32, Device::cpu) {}
  float* data() const { return static_cast<float*>(memory_.raw()); }

 private:
  Tensor memory_;
};

}  // namespace tensor::cpu
