/// Stands in for cuBLAS on the emulator: the one matrix product that the backend calls, in plain loops.
#pragma once
#include <cstdint>

#include "cuda_runtime.h"
#include "multiply.h"
#include "tensor/bfloat16.h"

enum cublasStatus_t { CUBLAS_STATUS_SUCCESS = 0, CUBLAS_STATUS_NOT_SUPPORTED = 15 };
enum cublasOperation_t { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1 };
enum cudaDataType_t { CUDA_R_32F = 0, CUDA_R_64F = 1, CUDA_R_16BF = 14 };
using cudaDataType = cudaDataType_t;
enum cublasComputeType_t { CUBLAS_COMPUTE_32F = 68, CUBLAS_COMPUTE_64F = 70, CUBLAS_COMPUTE_32F_FAST_TF32 = 77 };
enum cublasGemmAlgo_t { CUBLAS_GEMM_DEFAULT = -1 };
using cublasHandle_t = void*;

#include "product_types.h"  // it speaks of the enums above

inline const char* cublasGetStatusString(cublasStatus_t s) {
  return s == CUBLAS_STATUS_SUCCESS ? "success" : "failure";
}
inline cublasStatus_t cublasCreate(cublasHandle_t* h) {
  *h = nullptr;
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasSetStream(cublasHandle_t, cudaStream_t) { return CUBLAS_STATUS_SUCCESS; }
inline cublasStatus_t cublasSetWorkspace(cublasHandle_t, void*, size_t) { return CUBLAS_STATUS_SUCCESS; }

inline cublasStatus_t cublasGemmEx(cublasHandle_t, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                                   const void* alpha, const void* a, cudaDataType type_a, int lda, const void* b,
                                   cudaDataType type_b, int ldb, const void* beta, void* c, cudaDataType type_c,
                                   int ldc, cublasComputeType_t compute, cublasGemmAlgo_t) {
  // The scalars are read now, as cuBLAS does with scalars of the host.
  const auto run = [&]<class T, class C>(T, C, int lost_bits) {
    using W = tensor::Wide<T>;
    cuda_emulator::enqueue([=, alpha = *static_cast<const W*>(alpha), beta = *static_cast<const W*>(beta)] {
      cuda_emulator::make_pending_copies();
      cuda_emulator::multiply(op_a == CUBLAS_OP_T, op_b == CUBLAS_OP_T, m, n, k, alpha, static_cast<const T*>(a), lda,
                              static_cast<const T*>(b), ldb, beta, static_cast<C*>(c), ldc, lost_bits);
    });
    return CUBLAS_STATUS_SUCCESS;
  };
  return cuda_emulator::with_product_types(type_a, type_b, type_c, compute, run);
}
