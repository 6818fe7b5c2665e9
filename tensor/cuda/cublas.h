/// cuBLAS, loaded at the first product: a program with the CUDA backend starts where there is none. Host code only.
#pragma once
#include <cublas_v2.h>

namespace tensor::cuda {

struct Cublas {
  decltype(&cublasCreate) create;
  decltype(&cublasSetStream) set_stream;
  decltype(&cublasSetWorkspace) set_workspace;
  // Overloaded in the toolkit's header.
  cublasStatus_t (*gemm)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int m, int n, int k, const void* alpha,
                         const void* a, cudaDataType, int, const void* b, cudaDataType, int, const void* beta, void* c,
                         cudaDataType, int, cublasComputeType_t, cublasGemmAlgo_t);
  decltype(&cublasGetStatusString) status_text;
};
/// Throws CudaError when it cannot be loaded, saying what to do.
const Cublas& cublas();

}  // namespace tensor::cuda
