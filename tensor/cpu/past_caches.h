/// Which results are stored past the caches: it saves reading the memory that they overwrite, half of a copy's traffic.
#pragma once
#include "tensor/cpu/vector.h"
#include "tensor/tensor.h"

namespace tensor::cpu {

/// Results larger than this will be read from memory in any case.
constexpr int64_t kPastCachesBytes = 24 << 20;

/// Whether y is large, and aligned to vectors.
inline bool past_caches(const Tensor& y) {
  return y.bytes() > kPastCachesBytes && reinterpret_cast<uintptr_t>(y.raw()) % sizeof(Vec) == 0;
}

}  // namespace tensor::cpu
