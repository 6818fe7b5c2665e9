/// Pictures that show a prediction on its image.
#pragma once
#include "data/image.h"

namespace cris {

/// Probabilities in [0, 1], row-major, as gray: round(255 p).
data::Image probability_image(const float* probability, int64_t height, int64_t width);
/// 255 where probability >= threshold, else 0.
data::Image mask_image(const float* probability, int64_t height, int64_t width, double threshold);

/// `image` with the prediction coloured: where the mask agrees green, where only the prediction is yellow, where only
/// the mask is blue. prediction, mask: one channel of image's size, polyp from 128 on; an empty mask (no pixels)
/// colours the prediction green.
data::Image overlay(const data::Image& image, const data::Image& prediction, const data::Image& mask);
/// Pictures of one height beside each other; gray ones become RGB.
data::Image beside(const std::vector<data::Image>& pictures);

}  // namespace cris
