/// A procedural colonoscopy set, so that the whole program runs on a bare machine: no patient, no licence, any number
/// of pairs.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/transform.h"

namespace data {

/// One picture and its mask: mucosa as a lit height field with folds, vessels, texture, wet highlights, a dark lumen
/// and a vignette; one or two polyps of varied size, outline, height and tint, some hardly different from the wall; and
/// things that are not polyps: bumps, residue, bubbles, an overlay box. A pure function of (seed, index, height,
/// width). The mask is never empty. Throws Error when a side is below 32 pixels.
Sample synthesize(uint64_t seed, int64_t index, int64_t height, int64_t width);

/// 0000, 0001, ..: the names of the first `count` pairs.
std::vector<std::string> synthetic_names(int64_t count);
/// Writes pairs 0 .. count - 1 as OUT/images/NNNN.png and OUT/masks/NNNN.png: see write_dataset.
void write_synthetic_set(const std::string& out, int64_t count, int64_t height, int64_t width, uint64_t seed,
                         int threads = 0);

}  // namespace data
