/// Winograd convolutions of 7x7 kernels: stride 1, padding 3, channels in whole vectors.
///
/// A 7x7 kernel is four 4x4 kernels (the last row and column of taps being zeros) that lie 4 pixels apart, which is
/// one tile of F(4x4,4x4). So the four read neighbouring tiles of one and the same transformed image, and their
/// products are added before the transform back: 4 x 49 instead of 784 products a tile. Relative error against f64:
/// 1e-6 to 3e-6.
#pragma once
#include "tensor/conv_shape.h"

namespace tensor::cpu {

/// Most c * k that these are made for: the weight gradient keeps 8 sums of 4 x 49 values for each.
constexpr int64_t kWinograd7x7Weights = 64 * 64;

/// Backend::conv2d, _grad_input and _grad_weight on f32; b may be null.
void winograd_7x7_conv(const ConvShape& z, const float* x, const float* w, const float* b, Activation activation,
                       float* y);
void winograd_7x7_grad_input(const ConvShape& z, const float* dy, const float* w, const float* b, float* dx);
void winograd_7x7_grad_weight(const ConvShape& z, const float* dy, const float* x, float* dw);

/// Floats of scratch that they take.
int64_t winograd_7x7_conv_scratch(const ConvShape& z);
int64_t winograd_7x7_grad_input_scratch(const ConvShape& z);
int64_t winograd_7x7_grad_weight_scratch(const ConvShape& z);

}  // namespace tensor::cpu
