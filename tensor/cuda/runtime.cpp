/// Calls of the CUDA runtime whose failures become errors that say what to do.
#include "tensor/cuda/runtime.h"

#include <cstdlib>

namespace tensor::cuda {

namespace {

std::string version_text(int v) { return fmt::format("{}.{}", v / 1000, v % 1000 / 10); }

}  // namespace

void check_cuda(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  cudaGetLastError();
  // Which of the three says that code is missing depends on the call and on the driver.
  const bool no_code = status == cudaErrorInvalidDeviceFunction || status == cudaErrorNoKernelImageForDevice ||
                       status == cudaErrorUnsupportedPtxVersion;
  const char* remedy = no_code ? "; this build has code for " CRIS_CUDA_CODE
                                 ", and none that this device and its driver can run: configure with "
                                 "-DCMAKE_CUDA_ARCHITECTURES=native, or update the driver"
                               : "";
  throw CudaError(fmt::format("cuda: {}: {}{}", call, cudaGetErrorString(status), remedy));
}

void check_launch(const char* kernel) { check_cuda(cudaGetLastError(), kernel); }

cudaDeviceProp choose_device() {
  int driver = 0, runtime = 0, count = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0) {
    cudaGetLastError();
    if (driver > 0 && driver / 1000 < runtime / 1000)
      throw CudaError(
          fmt::format("device cuda: the driver serves CUDA {}, this build needs {}; update the driver, or "
                      "build with a CUDA {} toolkit",
                      version_text(driver), version_text(runtime), driver / 1000));
    throw CudaError(
        fmt::format("device cuda: no CUDA device is usable ({}); check nvidia-smi and CUDA_VISIBLE_DEVICES, or "
                    "choose --device cpu",
                    driver == 0 ? "there is no NVIDIA driver" : cudaGetErrorString(status)));
  }
  check_cuda(cudaSetDevice(0), "cudaSetDevice");
  cudaDeviceProp properties;
  check_cuda(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  if (properties.major * 10 + properties.minor < 75)
    throw CudaError(
        fmt::format("device cuda: {} has compute capability {}.{}; at least 7.5 is needed; choose --device cpu",
                    properties.name, properties.major, properties.minor));
  check_code();
  return properties;
}

std::vector<std::pair<std::string, std::string>> facts() {
  int driver = 0, runtime = 0, count = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  cudaGetDeviceCount(&count);
  std::vector<std::pair<std::string, std::string>> facts = {
      {"driver", driver ? "serves CUDA " + version_text(driver) : "none"},
      {"runtime", "CUDA " + version_text(runtime)},
      {"code for", CRIS_CUDA_CODE}};
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp p;
    if (cudaGetDeviceProperties(&p, i) != cudaSuccess) continue;
    facts.emplace_back(
        fmt::format("device {}", i),
        fmt::format("{}, compute capability {}.{}, {} multiprocessors, {:.1f} GiB{}", p.name, p.major, p.minor,
                    p.multiProcessorCount, double(p.totalGlobalMem) / (1 << 30), i == 0 ? "; this one is used" : ""));
  }
  cudaGetLastError();
  return facts;
}

bool separate_blocks() {
  static const bool set = [] {
    const char* const value = std::getenv("CRIS_CUDA_SEPARATE");
    return value && std::string(value) == "1";
  }();
  return set;
}

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
