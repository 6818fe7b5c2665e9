/// Which algorithm serves which convolution, and the memory it takes.
#pragma once
#include "tensor/backend.h"

namespace tensor::cpu {

enum class ConvPass { forward, grad_input, grad_weight };
enum class ConvAlgorithm { direct, winograd_2x2, winograd_4x4 };

/// The rule, for all three passes: 3x3 kernels of stride 1 and padding 1 whose channels are whole vectors go to the
/// Winograd tiling with fewer products (F(4x4) on ties), unless there are so few products that they are summed in f64
/// (kWideProducts); everything else, and everything under Precision::exact, is direct.
ConvAlgorithm conv_algorithm(const ConvShape& z, Precision precision);

/// Bytes of scratch that a pass takes from the arena of Device::cpu while it runs, with the present precision and
/// threads.
int64_t conv_workspace_bytes(const ConvShape& z, ConvPass pass);

}  // namespace tensor::cpu
