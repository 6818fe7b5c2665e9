/// The matrix product that stands in for cuBLAS', in plain loops.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "tensor/bfloat16.h"

namespace cuda_emulator {

/// x with its last `bits` mantissa bits rounded away, to nearest even, as tensor cores read their operands.
template <class T>
T rounded(T x, int bits) {
  if constexpr (std::is_same_v<T, float>) {
    if (bits == 0) return x;
    uint32_t u;
    std::memcpy(&u, &x, 4);
    u += (1u << (bits - 1)) - 1 + (u >> bits & 1);
    u &= ~((1u << bits) - 1);
    std::memcpy(&x, &u, 4);
  }
  return x;
}

/// c = alpha op(a) op(b) + beta c, column-major; a and b hold T, c holds C, sums are those of Wide<T>.
template <class T, class C, class W = tensor::Wide<T>>
void multiply(bool transpose_a, bool transpose_b, int m, int n, int k, W alpha, const T* a, int lda, const T* b,
              int ldb, W beta, C* c, int ldc, int lost_bits) {
  std::vector<W> left(size_t(m) * k), column(m);
  for (int l = 0; l < k; ++l)
    for (int i = 0; i < m; ++i)
      left[size_t(l) * m + i] = rounded(W(transpose_a ? a[size_t(i) * lda + l] : a[size_t(l) * lda + i]), lost_bits);
  for (int j = 0; j < n; ++j) {
    std::fill(column.begin(), column.end(), W(0));
    for (int l = 0; l < k; ++l) {
      const W scale = rounded(W(transpose_b ? b[size_t(l) * ldb + j] : b[size_t(j) * ldb + l]), lost_bits);
      for (int i = 0; i < m; ++i) column[i] += left[size_t(l) * m + i] * scale;
    }
    for (int i = 0; i < m; ++i) {
      C& to = c[size_t(j) * ldc + i];
      to = C(alpha * column[i] + (beta == W(0) ? W(0) : beta * to));
    }
  }
}

}  // namespace cuda_emulator
