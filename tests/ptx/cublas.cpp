/// The one product that the backend asks of cuBLAS, as the emulator computes it, with its operands' bytes checked.
#include <cublas_v2.h>

#include <stdexcept>

#include "tensor/bfloat16.h"
#include "tests/cuda_emulator/multiply.h"
#include "tests/cuda_emulator/product_types.h"
#include "tests/ptx/device.h"
#include "tests/ptx/memory.h"
#include "tests/ptx/stream.h"

namespace {

/// Columns of `rows` elements, `step` apart.
template <class F>
void each_column(const void* at, int rows, int columns, int step, size_t element, F check) {
  for (int j = 0; j < columns; ++j)
    check(static_cast<const char*>(at) + size_t(j) * size_t(step) * element, size_t(rows) * element);
}

template <class T, class C>
void run(bool transpose_a, bool transpose_b, int m, int n, int k, tensor::Wide<T> alpha, const T* a, int lda,
         const T* b, int ldb, tensor::Wide<T> beta, C* c, int ldc, int lost_bits) {
  if (!ptx::settings().run) return;
  ptx::DeviceMemory& memory = ptx::DeviceMemory::get();
  const auto read = [&](const char* at, size_t bytes) { memory.check_read(at, bytes); };
  each_column(a, transpose_a ? k : m, transpose_a ? m : k, lda, sizeof(T), read);
  each_column(b, transpose_b ? n : k, transpose_b ? k : n, ldb, sizeof(T), read);
  if (beta != 0) each_column(c, m, n, ldc, sizeof(C), read);
  each_column(c, m, n, ldc, sizeof(C),
              [&](const char* at, size_t bytes) { memory.check_write(const_cast<char*>(at), bytes); });
  cuda_emulator::multiply(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, lost_bits);
}

}  // namespace

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* h) {
  *h = nullptr;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t, cudaStream_t) { return CUBLAS_STATUS_SUCCESS; }
cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t, void*, size_t) { return CUBLAS_STATUS_SUCCESS; }
const char* cublasGetStatusString(cublasStatus_t s) {
  return s == CUBLAS_STATUS_SUCCESS ? "success" : ptx::tally().last_violation.c_str();
}
cublasStatus_t cublasGemmEx(cublasHandle_t, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                            const void* alpha, const void* a, cudaDataType type_a, int lda, const void* b,
                            cudaDataType type_b, int ldb, const void* beta, void* c, cudaDataType type_c, int ldc,
                            cublasComputeType_t compute, cublasGemmAlgo_t) {
  // The scalars are read now, as cuBLAS does with scalars of the host.
  const auto product = [&]<class T, class C>(T, C, int lost_bits) {
    using W = tensor::Wide<T>;
    const W one = *static_cast<const W*>(alpha), kept = *static_cast<const W*>(beta);
    try {
      ptx::enqueue([=] {
        run(op_a == CUBLAS_OP_T, op_b == CUBLAS_OP_T, m, n, k, one, static_cast<const T*>(a), lda,
            static_cast<const T*>(b), ldb, kept, static_cast<C*>(c), ldc, lost_bits);
      });
    } catch (const std::runtime_error& e) {
      ptx::note_violation(std::string("cublasGemmEx: ") + e.what());
      return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    return CUBLAS_STATUS_SUCCESS;
  };
  return cuda_emulator::with_product_types(type_a, type_b, type_c, compute, product);
}

}  // extern "C"
