/// cuBLAS counts columns first, so the product of rows is asked for as that of the transposes, b^T a^T.
#include "tensor/cuda/gemm.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "tensor/cuda/cublas.h"
#include "tensor/cuda/runtime.h"
#include "tensor/precision.h"

namespace tensor::cuda {
namespace {

void check_cublas(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS) throw CudaError(fmt::format("cuda: {}: {}", call, cublas().status_text(status)));
}

/// A workspace of its own keeps cuBLAS from choosing another algorithm when memory runs short.
cublasHandle_t handle() {
  static const cublasHandle_t the_one = [] {
    constexpr size_t workspace_bytes = size_t(32) << 20;
    cublasHandle_t h;
    check_cublas(cublas().create(&h), "cublasCreate");
    check_cublas(cublas().set_stream(h, stream()), "cublasSetStream");
    char* workspace = nullptr;
    check_cuda(cudaMalloc(&workspace, workspace_bytes), "cudaMalloc of cuBLAS' workspace");
    check_cublas(cublas().set_workspace(h, workspace, workspace_bytes), "cublasSetWorkspace");
    return h;
  }();
  return the_one;
}

template <class T>
cublasComputeType_t compute_type(const MatmulShape& z) {
  if constexpr (std::is_same_v<T, double>) return CUBLAS_COMPUTE_64F;
  // A product this thin (a CRF's label matrices) moves more than it multiplies: rounding its operands gains nothing.
  if (std::min(z.n, z.k) < 16) return CUBLAS_COMPUTE_32F;
  const bool rounded = precision() == Precision::tf32 || precision() == Precision::bf16;
  return rounded && std::is_same_v<T, float> ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

template <class T>
constexpr cudaDataType kType = std::is_same_v<T, double>  ? CUDA_R_64F
                               : std::is_same_v<T, float> ? CUDA_R_32F
                                                          : CUDA_R_16BF;

}  // namespace

template <class T, class Y>
void matmul(const MatmulShape& z, const T* a, const T* b, Y* y, bool accumulate) {
  if (z.m == 0 || z.n == 0) return;
  constexpr int64_t most = std::numeric_limits<int>::max();
  check(z.m <= most && z.n <= most && z.k <= most, "matmul: [{}, {}] x [{}, {}] exceeds cuBLAS' 32-bit extents", z.m,
        z.k, z.k, z.n);
  const Wide<T> one = 1, kept = accumulate ? 1 : 0;
  // cuBLAS counts columns first: what it sees is the transposed product, y' = op(b)' op(a)'.
  check_cublas(cublas().gemm(handle(), z.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N,
                             z.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N, int(z.n), int(z.m), int(z.k), &one, b, kType<T>,
                             int(z.transpose_b ? z.k : z.n), a, kType<T>, int(z.transpose_a ? z.m : z.k), &kept, y,
                             kType<Y>, int(z.n), compute_type<T>(z), CUBLAS_GEMM_DEFAULT),
               "cublasGemmEx");
}

template void matmul(const MatmulShape&, const float*, const float*, float*, bool);
template void matmul(const MatmulShape&, const double*, const double*, double*, bool);
template void matmul(const MatmulShape&, const BFloat16*, const BFloat16*, BFloat16*, bool);
template void matmul(const MatmulShape&, const BFloat16*, const BFloat16*, float*, bool);

}  // namespace tensor::cuda
