/// The CUDA backend: the device's memory, and the table of its kernels.
#include "tensor/backend.h"

#include <algorithm>
#include <cstdlib>

#include "tensor/cuda/convolution.h"
#include "tensor/cuda/gemm.h"
#include "tensor/cuda/recording.h"
#include "tensor/cuda/runtime.h"
#include "tensor/cuda/staging.h"
#include "tensor/cuda/tensors.h"
#include "tensor/precision.h"

namespace tensor {
namespace cuda {

/// As in reference/backend.cpp, one a .cu file.
using Chapter = void(Backend&);
Chapter add_elementwise, add_random, add_sums, add_pooling, add_resizing, add_channels, add_norms, add_gaussians,
    add_updates;

}  // namespace cuda

namespace {

using namespace cuda;

/// CRIS_CUDA_MEMORY_MB in bytes: the most that the arena takes; 0 where it is not set.
int64_t memory_setting() {
  const char* const set = std::getenv("CRIS_CUDA_MEMORY_MB");
  if (!set) return 0;
  char* end = nullptr;
  const int64_t mib = std::strtoll(set, &end, 10);
  require(*set && !*end && mib >= 1 && mib < int64_t(1) << 30,
          "CRIS_CUDA_MEMORY_MB is \"{}\"; it must be a number of MiB, at least 1", set);
  return mib << 20;
}

Backend cuda_table() {
  Backend b{};
  for (Chapter* add : {add_elementwise, add_random, add_sums, add_pooling, add_resizing, add_channels, add_norms,
                       add_gaussians, add_updates})
    add(b);

  /// Nine tenths of what is free now, or CRIS_CUDA_MEMORY_MB; the rest stays for the driver, cuBLAS and other
  /// processes.
  b.reserve_arena = [](int64_t& limit) -> void* {
    cuda::device();
    size_t free_bytes = 0, total = 0;
    check_cuda(cudaMemGetInfo(&free_bytes, &total), "cudaMemGetInfo");
    limit = int64_t(free_bytes / 10 * 9 / 256 * 256);
    if (const int64_t most = memory_setting(); most > 0) limit = std::min(limit, most);
    if (separate_blocks()) return nullptr;
    char* arena = nullptr;
    // Free memory may be in pieces: what cannot be had in one is asked for with a tenth less.
    while (true) {
      const cudaError_t status = cudaMalloc(&arena, size_t(limit));
      if (status == cudaSuccess) break;
      if (status != cudaErrorMemoryAllocation) check_cuda(status, "cudaMalloc of the arena");
      cudaGetLastError();
      limit = limit / 10 * 9 / 256 * 256;
      if (limit < int64_t(64) << 20)
        throw CudaError(
            fmt::format("device cuda: {} has no memory left ({:.0f} of {:.0f} MiB free); nvidia-smi "
                        "lists the processes that hold it",
                        cuda::device().name, double(free_bytes) / (1 << 20), double(total) / (1 << 20)));
    }
    return arena;
  };
  if (separate_blocks()) {
    b.allocate_block = [](int64_t bytes) {
      char* block = nullptr;
      check_cuda(cudaMalloc(&block, size_t(std::max<int64_t>(bytes, 1))), "cudaMalloc of a tensor");
      return static_cast<void*>(block);
    };
    // After what the stream still does with it.
    b.release_block = [](void* block) {
      cudaStreamSynchronize(stream());
      cudaFree(block);
    };
  }
  b.facts = cuda::facts;
  b.conv_workspace_bytes = cuda::conv_workspace_bytes;
  b.copy_from_host = [](void* to, const void* host, int64_t bytes) {
    check(!recording(), "record: a copy of {} bytes from the host cannot be recorded", bytes);
    cuda::copy_from_host(to, host, bytes);
  };
  b.copy_to_host = [](void* host, const void* from, int64_t bytes) {
    check(!recording(), "record: a copy of {} bytes to the host cannot be recorded", bytes);
    check_cuda(cudaMemcpyAsync(host, from, size_t(bytes), cudaMemcpyDeviceToHost, stream()), "cudaMemcpyAsync");
    check_cuda(cudaStreamSynchronize(stream()), "cudaStreamSynchronize");
  };
  b.copy = [](void* to, const void* from, int64_t bytes) {
    check_cuda(cudaMemcpyAsync(to, from, size_t(bytes), cudaMemcpyDeviceToDevice, stream()), "cudaMemcpyAsync");
  };
  b.synchronize = [] {
    check(!recording(), "record: waiting for the device cannot be recorded");
    check_cuda(cudaStreamSynchronize(stream()), "cudaStreamSynchronize");
  };

  /// Before 8.0 there are neither tensor cores nor conversions for bf16.
  b.activation_type = [](DType parameters) -> DType {
    const bool stored = precision() == Precision::bf16 && parameters == DType::f32 && cuda::device().major >= 8;
    return stored ? DType::bf16 : parameters;
  };

  b.matmul = [](const MatmulShape& z, const Tensor& a, const Tensor& b, const Tensor& y) {
    if (z.k == 0) return cuda_backend().fill(0, y);
    visit_float(a.dtype(), "matmul", [&]<class T>() { cuda::matmul(z, a.data<T>(), b.data<T>(), y.data<T>()); });
  };

  b.conv2d = convolve;
  b.conv2d_grad_input = convolve_grad_input;
  b.conv2d_grad_weight = convolve_grad_weight;
  b.takes_parts = takes_parts;
  b.conv2d_parts = convolve_parts;
  b.grad_input_parts = convolve_grad_input_parts;
  b.grad_weight_parts = convolve_grad_weight_parts;

  return b;
}

}  // namespace

const Backend& cuda_backend() {
  static const Backend table = cuda_table();
  return table;
}

}  // namespace tensor
