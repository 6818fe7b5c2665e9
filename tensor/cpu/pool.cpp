/// Pooling: rows of the output in parallel, vectors along the channels; gradients gather, so nothing is added twice.
/// image: [n][h][w][c]; pooled values and index: [n][p][q][c]; places of one output row: [q][c].
#include <cstring>

#include "tensor/backend.h"
#include "tensor/cpu/parallel.h"

namespace tensor::cpu {
namespace {

constexpr int64_t kChunkElements = 1 << 15;

/// Calls f(image * rows + row, scratch) for every row of every image, chunks in parallel; scratch holds `width` places
/// as i32, the width of the floats that they are chosen with.
template <class F>
void for_each_image_row(int64_t rows, int64_t width, F f) {
  parallel_for(rows, std::max<int64_t>(1, kChunkElements / std::max<int64_t>(1, width)),
               [&](int64_t begin, int64_t end) {
                 std::vector<int32_t> places(width);
                 for (int64_t row = begin; row < end; ++row) f(row, places.data());
               });
}

/// Takes v where it is larger than `best` or the first NaN. Conditional moves only: `||` would keep the loop from
/// vectorising.
inline void choose(float v, int32_t there, float& best, int32_t& at) {
  const float larger = v <= best ? best : v;
  const int32_t where = v <= best ? at : there;
  at = best != best ? at : where;
  best = best != best ? best : larger;
}

/// One output row of windows of 2 x 2. x: the first input row of the windows.
void max_pool_row_2(const PoolShape& z, const float* __restrict x, float* __restrict y, int32_t* __restrict places) {
  for (int64_t q = 0; q < z.q; ++q) {
    const float* __restrict top = x + q * z.stride * z.c;
    const float* __restrict bottom = top + z.w * z.c;
    float* __restrict to = y + q * z.c;
    int32_t* __restrict place = places + q * z.c;
    for (int64_t c = 0; c < z.c; ++c) {
      float best = top[c];
      int32_t at = 0;
      choose(top[z.c + c], 1, best, at);
      choose(bottom[c], 2, best, at);
      choose(bottom[z.c + c], 3, best, at);
      to[c] = best;
      place[c] = at;
    }
  }
}

void max_pool_row(const PoolShape& z, const float* __restrict x, float* __restrict y, int32_t* __restrict places) {
  const int64_t channels = z.c;
  for (int64_t q = 0; q < z.q; ++q) {
    float* __restrict to = y + q * z.c;
    int32_t* __restrict place = places + q * z.c;
    std::copy_n(x + q * z.stride * z.c, z.c, to);
    std::fill_n(place, z.c, 0);
    for (int64_t there = 1; there < z.kernel * z.kernel; ++there) {
      const float* __restrict from = x + (there / z.kernel * z.w + q * z.stride + there % z.kernel) * z.c;
#pragma GCC ivdep
      for (int64_t c = 0; c < channels; ++c) {
        float best = to[c];
        int32_t at = place[c];
        choose(from[c], int32_t(there), best, at);
        to[c] = best;
        place[c] = at;
      }
    }
  }
}

/// Windows that do not overlap: image[h, w] = the value of its window where the window's place is there, else 0.
void spread_apart(const PoolShape& z, const float* values, const uint8_t* index, float* image) {
  const int64_t row = z.q * z.c;
  for_each_image_row(z.n * z.p, row, [&](int64_t at, int32_t* places) {
    const float* value = values + at * row;
    std::copy_n(index + at * row, row, places);
    const int64_t p = at % z.p, top = p * z.stride, bottom = p + 1 < z.p ? top + z.stride : z.h;
    for (int64_t h = top; h < bottom; ++h) {
      float* to = image + ((at / z.p) * z.h + h) * z.w * z.c;
      if (h - top >= z.kernel) {
        std::memset(to, 0, z.w * z.c * sizeof(float));
        continue;
      }
      const int64_t covered = z.q * z.stride;
      for (int64_t w = 0; w < std::min(covered, z.w); ++w) {
        const int64_t q = w / z.stride, s = w - q * z.stride;
        const int32_t here = s < z.kernel ? int32_t((h - top) * z.kernel + s) : -1;
        const float* __restrict v = value + q * z.c;
        const int32_t* __restrict place = places + q * z.c;
        float* __restrict pixel = to + w * z.c;
        for (int64_t c = 0; c < z.c; ++c) pixel[c] = place[c] == here ? v[c] : 0.0f;
      }
      if (covered < z.w) std::memset(to + covered * z.c, 0, (z.w - covered) * z.c * sizeof(float));
    }
  });
}

/// Windows that overlap: every image pixel visits the windows over it, in row-major order, and adds or keeps the last.
template <bool kAdd>
void spread_overlapping(const PoolShape& z, const float* values, const uint8_t* index, float* image) {
  const auto first_window = [&](int64_t at) { return at < z.kernel ? 0 : (at - z.kernel) / z.stride + 1; };
  for_each_image_row(z.n * z.h, z.w * z.c, [&](int64_t at, int32_t*) {
    const int64_t h = at % z.h, n = at / z.h, last_p = std::min(h / z.stride, z.p - 1);
    for (int64_t w = 0; w < z.w; ++w) {
      float* __restrict pixel = image + (at * z.w + w) * z.c;
      std::fill_n(pixel, z.c, 0.0f);
      const int64_t last_q = std::min(w / z.stride, z.q - 1);
      for (int64_t p = first_window(h); p <= last_p; ++p)
        for (int64_t q = first_window(w); q <= last_q; ++q) {
          const int64_t window = ((n * z.p + p) * z.q + q) * z.c;
          const int32_t here = int32_t((h - p * z.stride) * z.kernel + w - q * z.stride);
          const float* __restrict v = values + window;
          const uint8_t* __restrict place = index + window;
          for (int64_t c = 0; c < z.c; ++c) {
            const float chosen = kAdd ? pixel[c] + v[c] : v[c];
            pixel[c] = int32_t(place[c]) == here ? chosen : pixel[c];
          }
        }
    }
  });
}

template <bool kAdd>
void spread(const PoolShape& z, const Tensor& values, const Tensor& index, const Tensor& image) {
  if (z.stride >= z.kernel)
    spread_apart(z, values.data<float>(), index.data<uint8_t>(), image.data<float>());
  else
    spread_overlapping<kAdd>(z, values.data<float>(), index.data<uint8_t>(), image.data<float>());
}

}  // namespace

void max_pool(const PoolShape& z, const Tensor& x, const Tensor& y, const Tensor& index) {
  const float* from = x.data<float>();
  float* to = y.data<float>();
  uint8_t* index_to = index.defined() ? index.data<uint8_t>() : nullptr;
  const int64_t row = z.q * z.c;
  for_each_image_row(z.n * z.p, row, [&](int64_t at, int32_t* places) {
    const float* window = from + ((at / z.p) * z.h + at % z.p * z.stride) * z.w * z.c;
    if (z.kernel == 2)
      max_pool_row_2(z, window, to + at * row, places);
    else
      max_pool_row(z, window, to + at * row, places);
    if (index_to) std::copy_n(places, row, index_to + at * row);
  });
}

void max_pool_grad(const PoolShape& z, const Tensor& dy, const Tensor& index, const Tensor& dx) {
  spread<true>(z, dy, index, dx);
}

void max_unpool(const PoolShape& z, const Tensor& x, const Tensor& index, const Tensor& y) {
  spread<false>(z, x, index, y);
}

void max_unpool_grad(const PoolShape& z, const Tensor& dy, const Tensor& index, const Tensor& dx) {
  const float* from = dy.data<float>();
  const uint8_t* places_from = index.data<uint8_t>();
  float* to = dx.data<float>();
  const int64_t row = z.q * z.c;
  for_each_image_row(z.n * z.p, row, [&](int64_t at, int32_t* places) {
    const float* window = from + ((at / z.p) * z.h + at % z.p * z.stride) * z.w * z.c;
    std::copy_n(places_from + at * row, row, places);
    for (int64_t q = 0; q < z.q; ++q) {
      const int32_t* __restrict place = places + q * z.c;
      float* __restrict d = to + at * row + q * z.c;
      if (z.kernel == 2) {
        const float* __restrict top = window + q * z.stride * z.c;
        const float* __restrict bottom = top + z.w * z.c;
        for (int64_t c = 0; c < z.c; ++c) {
          const float upper = place[c] & 1 ? top[z.c + c] : top[c], lower = place[c] & 1 ? bottom[z.c + c] : bottom[c];
          d[c] = place[c] & 2 ? lower : upper;
        }
      } else {
        for (int64_t c = 0; c < z.c; ++c) {
          const int64_t r = place[c] / z.kernel, s = place[c] % z.kernel;
          d[c] = window[(r * z.w + q * z.stride + s) * z.c + c];
        }
      }
    }
  });
}

void add_pooling(Backend& b) {
  b.max_pool = max_pool;
  b.max_pool_grad = max_pool_grad;
  b.max_unpool = max_unpool;
  b.max_unpool_grad = max_unpool_grad;
}

}  // namespace tensor::cpu
