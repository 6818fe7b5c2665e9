/// Random kernels: blocks of Philox counters computed side by side in vector lanes, the numbers those of
/// tensor/random.h.
/// x, y: [n]; words: [kWords], word i that of element i.
#include "tensor/random.h"

#include <cmath>
#include <utility>

#include "tensor/backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/vector.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace tensor::cpu {

void fill(double value, const Tensor& y);  // elementwise.cpp

namespace {

constexpr int kWide = kLanes / 2, kGroups = 4;  // 64-bit lanes of a vector; vectors side by side, to hide latency
constexpr int64_t kBlocks = kWide * kGroups, kWords = 4 * kBlocks, kChunkWords = 128 * kWords;
typedef uint64_t Wide __attribute__((vector_size(8 * kWide)));
typedef uint64_t UnalignedWide __attribute__((vector_size(8 * kWide), aligned(4), may_alias));

/// The product of the low half of every lane and m.
inline Wide multiply_low(Wide a, uint32_t m) {
  const Wide b = Wide{} + m;
#if defined(__AVX512F__)
  return Wide(_mm512_maskz_mul_epu32(0xff, __m512i(a), __m512i(b)));
#elif defined(__AVX2__)
  return Wide(_mm256_mul_epu32(__m256i(a), __m256i(b)));
#else
  return (a & 0xffffffffu) * b;
#endif
}

/// Lanes of a and b in turn, from the first (kHigh = 0) or the second (1) half of each.
template <int kHigh, int... kLane>
inline Wide in_turn(Wide a, Wide b, std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(a, b, (kHigh * kWide / 2 + kLane / 2 + kLane % 2 * kWide)...);
}

/// words[i] = random_bits(key, first + i) for i < kWords; `first` is a multiple of 4.
/// Philox4x32-10 as Random123 defines it, one counter a lane: a word is the low half of its lane, the high half is
/// ignored.
void random_words(const RandomKey& key, uint64_t first, uint32_t* words) {
  constexpr auto lanes = std::make_integer_sequence<int, kWide>{};
  Wide c0[kGroups], c1[kGroups], c2[kGroups], c3[kGroups];
  UNROLL for (int g = 0; g < kGroups; ++g) {
    for (int j = 0; j < kWide; ++j) c0[g][j] = first / 4 + uint64_t(g * kWide + j);
    c1[g] = c0[g] >> 32, c2[g] = Wide{} + key.stream, c3[g] = Wide{} + key.step;
  }
  uint32_t k0 = uint32_t(key.seed), k1 = uint32_t(key.seed >> 32);
  for (int round = 0; round < 10; ++round, k0 += PHILOX_W32_0, k1 += PHILOX_W32_1)
    UNROLL for (int g = 0; g < kGroups; ++g) {
      const Wide a = multiply_low(c0[g], PHILOX_M4x32_0), b = multiply_low(c2[g], PHILOX_M4x32_1);
      c0[g] = (b >> 32) ^ c1[g] ^ k0;
      c2[g] = (a >> 32) ^ c3[g] ^ k1;
      c1[g] = b;
      c3[g] = a;
    }
  UNROLL for (int g = 0; g < kGroups; ++g) {
    const Wide low = (c0[g] & 0xffffffffu) | c1[g] << 32, high = (c2[g] & 0xffffffffu) | c3[g] << 32;
    UnalignedWide* const to = reinterpret_cast<UnalignedWide*>(words + 4 * g * kWide);
    to[0] = in_turn<0>(low, high, lanes);
    to[1] = in_turn<1>(low, high, lanes);
  }
}

/// Calls f(first, count, words) over [0, n) with words[i] = random_bits(key, first + i), chunks in parallel.
template <class F>
void for_each_word(const RandomKey& key, int64_t n, F f) {
  parallel_for(n, kChunkWords, [&](int64_t begin, int64_t end) {
    alignas(64) uint32_t words[kWords];
    for (int64_t first = begin; first < end; first += kWords) {
      random_words(key, uint64_t(first), words);
      f(first, std::min(kWords, end - first), words);
    }
  });
}

}  // namespace

void fill_uniform(const RandomKey& key, double low, double high, const Tensor& y) {
  float* to = y.data<float>();
  for_each_word(key, y.size(), [=](int64_t first, int64_t count, const uint32_t* words) {
    for (int64_t i = 0; i < count; ++i) to[first + i] = float(low + (high - low) * (words[i] * 0x1p-32));
  });
}

void fill_normal(const RandomKey& key, double mean, double deviation, const Tensor& y) {
  float* to = y.data<float>();
  parallel_for(y.size(), kChunkWords, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = float(mean + deviation * normal(key, uint64_t(i)));
  });
}

void dropout(const RandomKey& key, double p, const Tensor& x, const Tensor& y) {
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

void add_random(Backend& b) {
  b.fill_uniform = fill_uniform;
  b.fill_normal = fill_normal;
  b.dropout = dropout;
}

}  // namespace tensor::cpu
