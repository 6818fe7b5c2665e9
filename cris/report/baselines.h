/// What a method that has not learned from any image reaches: below it a result means nothing.
#pragma once
#include <nlohmann/json.hpp>

#include "cris/evaluate.h"
#include "data/loader.h"

namespace cris {

/// {every_pixel, nothing, mean_mask}: each {dice, threshold, dice_of_images}, in the order of `part`, at that
/// size. mean_mask predicts the mean of all training masks, at the threshold that is best on the training set; it is
/// left out without a training set.
nlohmann::ordered_json baselines(data::SampleStore* training, data::SampleStore& part, ScoreSize size);

}  // namespace cris
