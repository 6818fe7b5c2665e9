/// The random streams of this layer.
#pragma once
#include <cstdint>

namespace data {

/// Stream numbers are unlike those of other layers, so one seed serves the whole program. `step` is the epoch, or as
/// noted.
constexpr uint32_t kSplitStream = 0xda7a0001;    // step: 0 names, 1 groups
constexpr uint32_t kShuffleStream = 0xda7a0002;  // the order of an epoch's samples
constexpr uint32_t kAugmentStream = 0xda7a0003;
constexpr uint32_t kSyntheticStream = 0xda7a0004;  // step: the sample
constexpr uint32_t kSensorStream = 0xda7a0005;     // step: the sample

}  // namespace data
