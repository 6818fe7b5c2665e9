/// Compares the gradients of whole networks with difference quotients: every parameter and the image, through batch
/// norm in training mode and dropout with a fixed mask.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cris/model.h"

namespace cris {

struct ModelCheck {
  std::string name;
  ModelOptions options;
  int64_t size = 32;  ///< of the two square images
};
/// Every backbone with a refiner, deep supervision, and a mean-field CRF with exact filters; all two channels wide.
std::vector<ModelCheck> model_checks();

struct ModelGradientError {
  double error = 0;       ///< worst |numeric - analytic| / max(|gradient|, 1e-3) over parameters and directions
  std::string parameter;  ///< where; "image" is the input
  int64_t parameters = 0;
};

/// In f64 on the reference, L = sum over heads of sum(sigmoid(logits) cotangent) with random cotangents. For each
/// parameter dL/dt along its gradient and along a random direction, both of length 1, is compared with (L(x + h d) -
/// L(x - h d)) / 2h. ReLU and max-pool have kinks, which a step may cross: the best of h = 1e-5, 2e-6, 4e-7 and of the
/// limits h -> 0 that two neighbours give (their errors shrink with h^2) counts; a wrong gradient is wrong at each.
ModelGradientError gradcheck_model(const ModelCheck& check, uint64_t seed = 1);

}  // namespace cris
