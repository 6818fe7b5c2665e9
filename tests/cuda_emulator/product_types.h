/// The types that cublasGemmEx takes here, for both stand-ins. Included after cublas_v2.h, theirs or NVIDIA's.
#pragma once
#include "tensor/bfloat16.h"

namespace cuda_emulator {

/// product(T{}, C{}, lost): T of a and b, C of c, and the mantissa bits that tensor cores drop of T.
template <class F>
cublasStatus_t with_product_types(cudaDataType_t a, cudaDataType_t b, cudaDataType_t c, cublasComputeType_t compute,
                                  F product) {
  if (a != b) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (a == CUDA_R_64F && c == CUDA_R_64F) return product(double{}, double{}, 0);
  if (a == CUDA_R_32F && c == CUDA_R_32F)
    return product(float{}, float{}, compute == CUBLAS_COMPUTE_32F_FAST_TF32 ? 13 : 0);
  if (a == CUDA_R_16BF && c == CUDA_R_16BF) return product(tensor::BFloat16{}, tensor::BFloat16{}, 0);
  if (a == CUDA_R_16BF && c == CUDA_R_32F) return product(tensor::BFloat16{}, float{}, 0);
  return CUBLAS_STATUS_NOT_SUPPORTED;
}

}  // namespace cuda_emulator
