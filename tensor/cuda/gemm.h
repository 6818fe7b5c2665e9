/// Matrix products through cuBLAS. Host code only.
#pragma once
#include "tensor/backend.h"

namespace tensor::cuda {

/// y = op(a) op(b), or y += with `accumulate`; MatmulShape says which is transposed. Row-major device pointers of f32
/// or f64, or of bf16, whose product is bf16 or f32. f32 is multiplied in TF32 in the precisions tf32 and bf16. Throws
/// CudaError.
template <class T, class Y>
void matmul(const MatmulShape& z, const T* a, const T* b, Y* y, bool accumulate = false);

}  // namespace tensor::cuda
