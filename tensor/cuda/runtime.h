/// The CUDA runtime, checked: errors become exceptions with a remedy, and the process has one stream. Host code only.
#pragma once
#include "tensor/check.h"
#include "tensor/cuda/stream.h"

namespace tensor {

/// A CUDA call or kernel failed, or there is no usable device.
class CudaError : public Error {
 public:
  using Error::Error;
};

namespace cuda {

/// Throws CudaError naming `call` unless `status` is success.
void check_cuda(cudaError_t status, const char* call);

/// The device that this process computes on, chosen at first use: device 0 of those that CUDA_VISIBLE_DEVICES shows.
/// Throws CudaError when there is none, or it is older than compute capability 7.5, or its driver is too old.
const cudaDeviceProp& device();

}  // namespace cuda
}  // namespace tensor
