/// The CUDA runtime, checked.
#include "tensor/cuda/runtime.h"

namespace tensor::cuda {

void check_cuda(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  cudaGetLastError();
  throw CudaError(fmt::format("cuda: {}: {}", call, cudaGetErrorString(status)));
}

void check_launch(const char* kernel) { check_cuda(cudaGetLastError(), kernel); }

namespace {

cudaDeviceProp choose_device() {
  int driver = 0, runtime = 0, count = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0) {
    cudaGetLastError();
    if (driver > 0 && driver / 1000 < runtime / 1000)
      throw CudaError(
          fmt::format("device cuda: the driver supports CUDA {}.{}, this build needs {}.{}; update the driver",
                      driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10));
    throw CudaError(
        fmt::format("device cuda: no CUDA device is usable ({}); check nvidia-smi and CUDA_VISIBLE_DEVICES, or "
                    "choose --device cpu",
                    cudaGetErrorString(status)));
  }
  check_cuda(cudaSetDevice(0), "cudaSetDevice");
  cudaDeviceProp properties;
  check_cuda(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  if (properties.major * 10 + properties.minor < 75)
    throw CudaError(
        fmt::format("device cuda: {} has compute capability {}.{}; at least 7.5 is needed; choose --device cpu",
                    properties.name, properties.major, properties.minor));
  return properties;
}

}  // namespace

const cudaDeviceProp& device() {
  static const cudaDeviceProp chosen = choose_device();
  return chosen;
}

cudaStream_t stream() {
  static const cudaStream_t the_one = [] {
    device();
    cudaStream_t s;
    check_cuda(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking), "cudaStreamCreate");
    return s;
  }();
  return the_one;
}

}  // namespace tensor::cuda
