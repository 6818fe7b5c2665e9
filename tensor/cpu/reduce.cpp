/// Sums: f32 within a block of 64 rows, f64 beyond. x: [rows][C]; y: [C], or [1] of everything.
#include "tensor/backend.h"
#include "tensor/cpu/wide_rows.h"

namespace tensor::cpu {
void sum(const Tensor& x, const Tensor& y) {
  const WideRows z(x.size(), std::max<int64_t>(1, y.size()));
  const float* from = x.data<float>();
  const std::vector<double> sums = column_sums<1, 1>(z, [&](int64_t begin, int64_t end, float* partial, double* total) {
    std::fill_n(partial, z.width, 0.0f);
    for_block(z, begin, end,
              [&](auto rows, int64_t at, int64_t length) { add_rows<rows>(from + at, z.width, length, partial); });
    for (int64_t l = 0; l < z.width; ++l) total[l] += partial[l];
  });
  std::copy(sums.begin(), sums.end(), y.data<float>());
}

void add_sums(Backend& b) { b.sum = sum; }

}  // namespace tensor::cpu
