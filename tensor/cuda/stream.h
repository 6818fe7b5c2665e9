/// The stream that all kernels are launched on. For .cu files and host code alike.
#pragma once
#include <cuda_runtime.h>

namespace tensor::cuda {

/// The one stream of the process.
cudaStream_t stream();
/// Throws CudaError naming `call` unless `status` is success.
void check_cuda(cudaError_t status, const char* call);
/// Throws CudaError, naming the kernel, when the launch before it failed.
void check_launch(const char* kernel);
/// Throws CudaError when this build has no code that the device can run.
void check_code();

}  // namespace tensor::cuda
