/// Gradient check of whole models: every parameter, through batch norm, dropout with a fixed mask, refiner and CRF.
#pragma once
#include <string>
#include <vector>

namespace cris {

struct ModelGradientError {
  std::string model;
  std::string worst_parameter;
  double worst = 0;  ///< |numeric - analytic| / |gradient| of its parameter
  int parameters = 0;
};

/// In f64 on the reference, tiny widths, training mode, the loss 1/2 MSE of the mask + 1/2 BCE of the output. For each
/// parameter tensor, dL along its own gradient's direction and along a random one against (L(w + h d) - L(w - h d)) /
/// 2h, |d| = 1. Where two step sizes disagree a kink (ReLU, max-pool) lies between, the derivative does not exist, and
/// the step is made smaller.
std::vector<ModelGradientError> check_models();

}  // namespace cris
