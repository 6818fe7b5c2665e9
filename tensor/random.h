/// Counter-based random numbers: element i of a stream is a pure function of (seed, stream, step, i), on every device
/// and for any number of threads. Philox4x32-10 (Salmon et al. 2011, Random123).
#pragma once
#include <Random123/philox.h>

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "tensor/host_device.h"

namespace tensor {

/// Names one stream of random numbers. `stream` says what for (a layer, the shuffle), `step` when (a training step, an
/// epoch).
struct RandomKey {
  uint64_t seed = 0;
  uint32_t stream = 0, step = 0;
};

/// Four independent 32-bit words: block `block` of the stream. block < 2^64.
HD inline r123::Philox4x32::ctr_type random_block(const RandomKey& key, uint64_t block) {
  return r123::Philox4x32()({{uint32_t(block), uint32_t(block >> 32), key.stream, key.step}},
                            {{uint32_t(key.seed), uint32_t(key.seed >> 32)}});
}

/// Word i of the stream: uniform over all 32-bit integers.
HD inline uint32_t random_bits(const RandomKey& key, uint64_t i) { return random_block(key, i / 4)[i % 4]; }

/// Number i of the stream, uniform in [0, 1), in steps of 2^-32. Rounded to f32 the largest become 1.
HD inline double uniform(const RandomKey& key, uint64_t i) { return random_bits(key, i) * 0x1p-32; }

/// Number i of the stream, standard normal (Box-Muller on words 2i and 2i + 1).
HD inline double normal(const RandomKey& key, uint64_t i) {
  const double u = (random_bits(key, 2 * i) + 1.0) * 0x1p-32, v = random_bits(key, 2 * i + 1) * 0x1p-32;
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

/// Integer i of the stream, uniform in [0, n): the high word of a 32 x 32 bit product; n < 2^32, bias below n / 2^32.
HD inline uint32_t uniform_below(const RandomKey& key, uint64_t i, uint32_t n) {
  return uint32_t((uint64_t(random_bits(key, i)) * n) >> 32);
}

/// Fisher-Yates: item i changes places with item uniform_below(key, i, i + 1), from the last i to 1.
template <class T>
void shuffle(std::vector<T>& items, const RandomKey& key) {
  for (size_t i = items.size(); i-- > 1;) std::swap(items[i], items[uniform_below(key, i, uint32_t(i + 1))]);
}

}  // namespace tensor
