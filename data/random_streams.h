/// The random streams of this layer, and the shuffle that reads them.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "tensor/random.h"

namespace data {

/// Stream numbers are unlike those of other layers, so one seed serves the whole program. `step` is the epoch, or as
/// noted.
constexpr uint32_t kSplitStream = 0xda7a0001;    // step: 0 names, 1 groups
constexpr uint32_t kShuffleStream = 0xda7a0002;  // the order of an epoch's samples
constexpr uint32_t kAugmentStream = 0xda7a0003;
constexpr uint32_t kSyntheticStream = 0xda7a0004;  // step: the sample
constexpr uint32_t kSensorStream = 0xda7a0005;     // step: the sample

/// Fisher-Yates: item i changes places with item uniform_below(key, i, i + 1), from the last i to 1.
template <class T>
void shuffle(std::vector<T>& items, const tensor::RandomKey& key) {
  for (size_t i = items.size(); i-- > 1;) std::swap(items[i], items[tensor::uniform_below(key, i, uint32_t(i + 1))]);
}

}  // namespace data
