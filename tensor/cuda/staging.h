/// Copies from the host that do not wait: through page-locked memory, which the device reads while the host goes on.
/// Host code only.
#pragma once
#include <cstdint>

namespace tensor::cuda {

/// Copies `bytes` of host memory to the device in stream order. `from` may change as soon as this returns.
/// Throws CudaError.
void copy_from_host(void* to, const void* from, int64_t bytes);

}  // namespace tensor::cuda
