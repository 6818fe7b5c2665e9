/// The exact Gaussian filter: every pair of points, a vector of points at a time.
/// features: [n][d], x and y: [n][c_count]; turned for the inner loop into f: [d][padded], v: [c_count][padded].
#include <algorithm>
#include <vector>

#include "tensor/backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/scalar_math.h"

namespace tensor::cpu {
namespace {
constexpr int64_t kPoints = 16;
}

void exact_gaussian(const Tensor& features, const GaussianPass& pass, const Tensor& x, const Tensor& y) {
  const int64_t n = features.shape()[0], d = features.shape()[1], c_count = x.shape()[-1];
  const int64_t padded = (n + kPoints - 1) / kPoints * kPoints;
  const float* const in = x.data<float>() + pass.image * n * c_count;
  float* const out = y.data<float>() + pass.image * n * c_count;
  // One row an axis and one a channel, padded with values of 0, so that the inner loop reads in order.
  std::vector<float> f(d * padded, 0.0f), v(c_count * padded, 0.0f);
  for (int64_t j = 0; j < n; ++j) {
    const float before = pass.before.defined() ? pass.before.data<float>()[j] : 1.0f;
    for (int64_t a = 0; a < d; ++a) f[a * padded + j] = features.data<float>()[j * d + a];
    for (int64_t c = 0; c < c_count; ++c) v[c * padded + j] = in[j * c_count + c] * before;
  }
  const float* const after = pass.after.defined() ? pass.after.data<float>() : nullptr;
  parallel_for(n, 64, [&](int64_t first, int64_t last) {
    std::vector<float> sums(c_count * kPoints);
    for (int64_t i = first; i < last; ++i) {
      std::fill(sums.begin(), sums.end(), 0.0f);
      for (int64_t j = 0; j < padded; j += kPoints) {
        float k[kPoints] = {};
        for (int64_t a = 0; a < d; ++a) {
          const float centre = f[a * padded + i];
          const float* const other = &f[a * padded + j];
          for (int l = 0; l < kPoints; ++l) k[l] += (other[l] - centre) * (other[l] - centre);
        }
        for (int l = 0; l < kPoints; ++l) k[l] = math::exp(-0.5f * k[l]);
        for (int64_t c = 0; c < c_count; ++c) {
          float* const sum = &sums[c * kPoints];
          const float* const value = &v[c * padded + j];
          for (int l = 0; l < kPoints; ++l) sum[l] += k[l] * value[l];
        }
      }
      for (int64_t c = 0; c < c_count; ++c) {
        float total = 0;
        for (int l = 0; l < kPoints; ++l) total += sums[c * kPoints + l];
        out[i * c_count + c] = total * (after ? after[i] : 1.0f);
      }
    }
  });
}

void add_exact_gaussian(Backend& b) { b.exact_gaussian = exact_gaussian; }

}  // namespace tensor::cpu
