/// Copies of channel ranges: concatenation and its gradient.
#include <algorithm>

#include "tensor/cpu/backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/past_caches.h"

namespace tensor::cpu {

void CpuBackend::copy_channels(const Tensor& x, int64_t x_first, int64_t count, const Tensor& y, int64_t y_first) {
  if (x.dtype() != DType::f32) return ReferenceBackend::copy_channels(x, x_first, count, y, y_first);
  const int64_t x_step = x.shape()[-1], y_step = y.shape()[-1];
  if (count == 0 || x_step == 0) return;
  const float* from = x.data<float>() + x_first;
  float* to = y.data<float>() + y_first;
  const bool past = past_caches(y) && count % kLanes == 0 && y_step % kLanes == 0 && y_first % kLanes == 0;
  parallel_for(x.size() / x_step, std::max<int64_t>(1, (1 << 15) / count), [=](int64_t begin, int64_t end) {
    if (past) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t c = 0; c < count; c += kLanes)
          store_past_caches(to + row * y_step + c, load(from + row * x_step + c));
      return;
    }
    for (int64_t row = begin; row < end; ++row) {
      const float* __restrict source = from + row * x_step;
      float* __restrict target = to + row * y_step;
      for (int64_t c = 0; c < count; ++c) target[c] = source[c];
    }
  });
}

}  // namespace tensor::cpu
