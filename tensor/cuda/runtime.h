/// The CUDA runtime, checked: errors become exceptions with a remedy, and the process has one stream. Host code only.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "tensor/check.h"
#include "tensor/cuda/stream.h"

namespace tensor {

/// A CUDA call or kernel failed, or there is no usable device.
class CudaError : public Error {
 public:
  using Error::Error;
};

namespace cuda {

/// Device 0 of those that CUDA_VISIBLE_DEVICES shows. Throws CudaError when there is none, when it is older than
/// compute capability 7.5, when its driver is too old, or when this build holds no code for it.
cudaDeviceProp choose_device();
/// Driver, runtime, devices and built code, for people. Never throws.
std::vector<std::pair<std::string, std::string>> facts();
/// CRIS_CUDA_SEPARATE=1: each tensor is an allocation of its own, so that compute-sanitizer knows where it ends;
/// nothing is then recorded.
bool separate_blocks();
/// The device that this process computes on, chosen at first use.
const cudaDeviceProp& device();

}  // namespace cuda
}  // namespace tensor
