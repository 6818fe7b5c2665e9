/// How far the outline of a prediction lies from that of the mask.
#pragma once
#include "cris/measures/binary_map.h"

namespace cris {

struct SurfaceScore {
  double hd95;        ///< 95th percentile of the distances of both outlines to each other, in pixels
  double assd;        ///< mean of these distances: average symmetric surface distance
  double boundary_f;  ///< 2 P R / (P + R); P, R: shares of both outlines within the tolerance of each other
};
/// The outline of a map: its pixels of which one of the four neighbours lies outside it or outside the picture. The
/// distances of a pixel of one outline are those to the nearest pixel of the other; percentiles are interpolated
/// linearly. The tolerance is 0.75 % of the picture's diagonal, at least one pixel. Both empty: 0, 0 and 1. One empty:
/// the picture's diagonal, the diagonal and 0.
/// Source: medpy.metric.binary.hd95 and assd; Csurka et al., "What is a good evaluation measure for semantic
/// segmentation?", BMVC 2013 (boundary F).
SurfaceScore surface_score(const BinaryMap& prediction, const BinaryMap& mask);

}  // namespace cris
