/// Random kernels: blocks of Philox counters computed side by side in vector lanes, the numbers those of
/// tensor/random.h.
#include "tensor/random.h"

#include <cmath>

#include "tensor/cpu/backend.h"
#include "tensor/cpu/parallel.h"

namespace tensor::cpu {
namespace {

constexpr int64_t kBlocks = 32, kWords = 4 * kBlocks, kChunk = 128 * kWords;

/// words[i] = random_bits(key, first + i) for i < kWords; `first` is a multiple of 4.
/// Philox4x32-10 as Random123 defines it, one counter a lane.
void random_words(const RandomKey& key, uint64_t first, uint32_t* words) {
  uint32_t c0[kBlocks], c1[kBlocks], c2[kBlocks], c3[kBlocks];
  for (int64_t j = 0; j < kBlocks; ++j) {
    const uint64_t block = first / 4 + j;
    c0[j] = uint32_t(block), c1[j] = uint32_t(block >> 32), c2[j] = key.stream, c3[j] = key.step;
  }
  uint32_t k0 = uint32_t(key.seed), k1 = uint32_t(key.seed >> 32);
  for (int round = 0; round < 10; ++round, k0 += PHILOX_W32_0, k1 += PHILOX_W32_1)
    for (int64_t j = 0; j < kBlocks; ++j) {
      const uint64_t a = uint64_t(PHILOX_M4x32_0) * c0[j], b = uint64_t(PHILOX_M4x32_1) * c2[j];
      c0[j] = uint32_t(b >> 32) ^ c1[j] ^ k0;
      c2[j] = uint32_t(a >> 32) ^ c3[j] ^ k1;
      c1[j] = uint32_t(b);
      c3[j] = uint32_t(a);
    }
  for (int64_t j = 0; j < kBlocks; ++j) {
    words[4 * j] = c0[j], words[4 * j + 1] = c1[j], words[4 * j + 2] = c2[j], words[4 * j + 3] = c3[j];
  }
}

/// Calls f(first, count, words) over [0, n) with words[i] = random_bits(key, first + i), chunks in parallel.
template <class F>
void for_each_word(const RandomKey& key, int64_t n, F f) {
  parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
    alignas(64) uint32_t words[kWords];
    for (int64_t first = begin; first < end; first += kWords) {
      random_words(key, uint64_t(first), words);
      f(first, std::min(kWords, end - first), words);
    }
  });
}

}  // namespace

void CpuBackend::fill_uniform(const RandomKey& key, double low, double high, const Tensor& y) {
  if (y.dtype() != DType::f32) return ReferenceBackend::fill_uniform(key, low, high, y);
  float* to = y.data<float>();
  for_each_word(key, y.size(), [=](int64_t first, int64_t count, const uint32_t* words) {
    for (int64_t i = 0; i < count; ++i) to[first + i] = float(low + (high - low) * (words[i] * 0x1p-32));
  });
}

void CpuBackend::fill_normal(const RandomKey& key, double mean, double deviation, const Tensor& y) {
  if (y.dtype() != DType::f32) return ReferenceBackend::fill_normal(key, mean, deviation, y);
  float* to = y.data<float>();
  parallel_for(y.size(), kChunk, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = float(mean + deviation * normal(key, uint64_t(i)));
  });
}

void CpuBackend::dropout(const RandomKey& key, double p, const Tensor& x, const Tensor& y) {
  if (x.dtype() != DType::f32) return ReferenceBackend::dropout(key, p, x, y);
  // bits 2^-32 >= p exactly when bits >= ceil(p 2^32), which is above every word when p is almost 1.
  const double least = std::ceil(p * 0x1p32);
  if (least > 4294967295.0) return fill(0, y);
  const uint32_t keep_from = uint32_t(least);
  const float scale = float(1 / (1 - p));
  const float* from = x.data<float>();
  float* to = y.data<float>();
  for_each_word(key, x.size(), [=](int64_t first, int64_t count, const uint32_t* words) {
    const float* a = from + first;
    float* b = to + first;
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) {
      const float kept = a[i] * scale;
      b[i] = words[i] >= keep_from ? kept : 0.0f;
    }
  });
}

}  // namespace tensor::cpu
