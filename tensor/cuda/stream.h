/// The stream that all kernels are launched on. For .cu files and host code alike.
#pragma once
#include <cuda_runtime.h>

namespace tensor::cuda {

/// The one stream of the process.
cudaStream_t stream();
/// Throws CudaError, naming the kernel, when the launch before it failed.
void check_launch(const char* kernel);

}  // namespace tensor::cuda
