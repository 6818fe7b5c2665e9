/// The matrix product as three loops. a: [m][k], b: [k][n] (either may be transposed), y: [m][n].
#include "tensor/backend.h"
#include "tensor/machine/parallel.h"

namespace tensor::reference {

void matmul(const MatmulShape& z, const Tensor& a, const Tensor& b, const Tensor& y) {
  visit_float(a.dtype(), "matmul", [&]<class T>() {
    const T *A = a.data<T>(), *B = b.data<T>();
    T* Y = y.data<T>();
    parallel_chunks(z.m, [&](int64_t m) {
      for (int64_t n = 0; n < z.n; ++n) {
        T total = 0;
        for (int64_t k = 0; k < z.k; ++k)
          total += A[z.transpose_a ? k * z.m + m : m * z.k + k] * B[z.transpose_b ? n * z.k + k : k * z.n + n];
        Y[m * z.n + n] = total;
      }
    });
  });
}

void add_matmul(Backend& b) { b.matmul = matmul; }

}  // namespace tensor::reference
