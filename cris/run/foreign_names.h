/// Weights that other projects trained, under this project's names.
#pragma once
#include <string>

#include "nn/safetensors.h"

namespace cris {

/// The tensors of `file` under the names of a Model, where it holds
/// - a whole model of DataParallel ("module.backbone...."), or a backbone alone ("encoder.0.conv1.weight");
/// - milesial's Pytorch-UNet with transposed convolutions (bilinear=False, one class): unet of base 64;
/// - 4uiiurz1's NestedUNet of pytorch-nested-unet (one class): unet++ of base 32. Its convolutions have biases before
///   batch norms; they move into the running means, which gives the same outputs in evaluation.
/// Any other file comes back as it is. docs/reference/interop.md has the tables of names.
nn::SafeTensors in_our_names(nn::SafeTensors file);

}  // namespace cris
