/// Measures of salient-object detection that polyp papers report: S-measure, E-measure, weighted F.
///
/// Each takes a probability map (row-major, values in [0, 1]) and a mask, and gives a value in [0, 1], higher is
/// better. They equal PySODMetrics with normalize=False. PraNet's programs stretch each map to [0, 1] first; these do
/// not.
#pragma once
#include "cris/measures/binary_map.h"

namespace cris {

/// Half similarity of the objects, half similarity of the four regions around the mask's centre. Without a polyp:
/// 1 - mean(p); all polyp: mean(p).
/// Source: Fan et al., "Structure-measure: A New Way to Evaluate Foreground Maps", ICCV 2017.
double s_measure(const float* probability, const BinaryMap& mask);
/// Mean over the 256 thresholds k / 255 of the enhanced alignment, where p counts as floor(255 p) / 255.
/// Source: Fan et al., "Enhanced-alignment Measure for Binary Foreground Map Evaluation", IJCAI 2018.
double e_measure(const float* probability, const BinaryMap& mask);
/// F of errors that weigh less near the polyp's edge and more far from it; 0 without a polyp.
/// Source: Margolin et al., "How to Evaluate Foreground Maps?", CVPR 2014.
double weighted_f(const float* probability, const BinaryMap& mask);

}  // namespace cris
