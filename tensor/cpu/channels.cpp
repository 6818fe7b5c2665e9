/// Copies of channel ranges: concatenation and its gradient.
/// x: [rows][x_step], y: [rows][y_step]; channels [first, first + count) of each, a row a pixel.
#include <algorithm>

#include "tensor/backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/past_caches.h"

namespace tensor::cpu {

void copy_channels(const ChannelRange& x, const ChannelRange& y) {
  const int64_t x_step = x.image.shape()[-1], y_step = y.image.shape()[-1], count = x.count;
  if (count == 0 || x_step == 0) return;
  const float* from = x.image.data<float>() + x.first;
  float* to = y.image.data<float>() + y.first;
  const bool past = past_caches(y.image) && count % kLanes == 0 && y_step % kLanes == 0 && y.first % kLanes == 0;
  parallel_for(x.image.size() / x_step, std::max<int64_t>(1, (1 << 15) / count), [=](int64_t begin, int64_t end) {
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

void add_channels(Backend& b) { b.copy_channels = copy_channels; }

}  // namespace tensor::cpu
