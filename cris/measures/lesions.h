/// Polyps counted one by one, as a person would: found, missed, or not there.
#pragma once
#include "cris/measures/binary_map.h"

namespace cris {

/// 0 outside the map; inside, the number 1, 2, ... of the pixel's component, in reading order of their first pixels.
/// Pixels that touch by a side or a corner belong together. Returns the count.
int64_t label_components(const BinaryMap& map, std::vector<int32_t>& labels);

struct LesionCounts {
  int64_t lesions = 0;          ///< components of the mask
  int64_t found = 0;            ///< of these, the ones that the prediction overlaps in at least one pixel
  int64_t false_positives = 0;  ///< components of the prediction that overlap no lesion
};
LesionCounts count_lesions(const BinaryMap& prediction, const BinaryMap& mask);

}  // namespace cris
