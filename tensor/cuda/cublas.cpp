/// cuBLAS as the process already has it, else from the system's folders, else from the toolkit that this was built
/// with.
#include "tensor/cuda/cublas.h"

#ifndef CRIS_CUDA_EMULATOR
#include <dlfcn.h>
#endif

#include "tensor/cuda/runtime.h"

namespace tensor::cuda {

#ifdef CRIS_CUDA_EMULATOR
const Cublas& cublas() {
  static const Cublas emulated{cublasCreate, cublasSetStream, cublasSetWorkspace, cublasGemmEx, cublasGetStatusString};
  return emulated;
}
#else
namespace {

#ifndef CRIS_CUDA_LIBRARIES
#define CRIS_CUDA_LIBRARIES "/usr/local/cuda/lib64"
#endif

void* library() {
  if (dlsym(RTLD_DEFAULT, "cublasGemmEx")) return RTLD_DEFAULT;
  const std::string name = fmt::format("libcublas.so.{}", CUDART_VERSION / 1000);
  for (const std::string& path : {name, CRIS_CUDA_LIBRARIES "/" + name})
    if (void* const loaded = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return loaded;
  throw CudaError(
      fmt::format("cuda: {}; install {} of the CUDA toolkit, or name its folder in LD_LIBRARY_PATH", dlerror(), name));
}

}  // namespace

const Cublas& cublas() {
  static const Cublas loaded = [] {
    void* const from = library();
    const auto find = [&]<class F>(F& function, const char* name) {
      function = reinterpret_cast<F>(dlsym(from, name));
      if (!function) throw CudaError(fmt::format("cuda: cuBLAS has no {}; install another CUDA toolkit", name));
    };
    Cublas c;
    find(c.create, "cublasCreate_v2");
    find(c.set_stream, "cublasSetStream_v2");
    find(c.set_workspace, "cublasSetWorkspace_v2");
    find(c.gemm, "cublasGemmEx");
    find(c.status_text, "cublasGetStatusString");
    return c;
  }();
  return loaded;
}
#endif

}  // namespace tensor::cuda
