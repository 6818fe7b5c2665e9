/// Matrix products through cuBLAS. Host code only.
#pragma once
#include "tensor/backend.h"

namespace tensor::cuda {

/// y = op(a) op(b), or y += with `accumulate`; MatmulShape says which is transposed. Row-major device pointers of f32
/// or f64. f32 is multiplied as tensor::precision() says. Throws CudaError.
template <class T>
void matmul(const MatmulShape& z, const T* a, const T* b, T* y, bool accumulate = false);

}  // namespace tensor::cuda
