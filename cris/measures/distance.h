/// How far each pixel lies from the nearest pixel of a set, and which one that is.
#pragma once
#include "cris/measures/binary_map.h"

namespace cris {

/// nearest[i] is the row-major index of the set's pixel nearest to pixel i by Euclidean distance; of several the one in
/// the leftmost column, and there the uppermost (as scipy.ndimage.distance_transform_edt chooses). -1 everywhere when
/// the set is empty. Time: O(pixels).
/// Source: Felzenszwalb & Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 2012.
std::vector<int64_t> nearest_pixels(const BinaryMap& set);
/// Euclidean distance of pixels `a` and `b`, row-major indices, in pixels.
double pixel_distance(int64_t a, int64_t b, int64_t width);

}  // namespace cris
