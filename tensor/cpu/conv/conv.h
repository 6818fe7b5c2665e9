/// Which algorithm serves which convolution, and the memory it takes.
#pragma once
#include "tensor/backend.h"
#include "tensor/precision.h"

namespace tensor::cpu {

enum class ConvAlgorithm { direct, winograd_2x2_3x3, winograd_4x4_3x3, winograd_4x4_5x5, winograd_4x4_7x7 };

/// The rule, for all three passes: 3x3, 5x5 and 7x7 kernels of stride 1 that keep the image's size, and whose channels
/// are whole vectors, go to the Winograd tiling with the fewest products (F(4x4) on ties). Everything else, 7x7 kernels
/// of more than kWinograd7x7Weights pairs of channels, and everything under Precision::exact, is direct.
ConvAlgorithm conv_algorithm(const ConvShape& z, Precision precision);

/// Bytes of scratch that a pass takes from the arena of Device::cpu while it runs, with the present precision and
/// threads.
int64_t conv_workspace_bytes(const ConvShape& z, ConvPass pass);

}  // namespace tensor::cpu
