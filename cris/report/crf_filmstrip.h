/// Pictures of what a model makes of single images, kept with its evaluation.
#pragma once
#include "cris/model.h"
#include "data/image.h"

namespace cris {

/// For strategy crf: image, mask, the backbone's probability map, the maps after 1, 2, .. all iterations (12 of them,
/// evenly spread, where they are more), and the last one thresholded, beside each other. The model is in evaluation
/// mode; image and mask have one size. Throws Error for another strategy.
data::Image film_strip(Model& model, tensor::Device device, const data::Image& image, const data::Image& mask,
                       double threshold);
/// The iterations that it shows, of a CRF with so many.
std::vector<int64_t> film_iterations(int64_t iterations);

}  // namespace cris
