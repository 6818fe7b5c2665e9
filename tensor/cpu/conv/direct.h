/// Direct convolution through the register tile: any kernel, stride, padding and number of channels, all three passes.
///
/// Each output is one sum in a fixed order; no im2col, no Winograd. The best choice for 1x1 and 2x2 kernels, for
/// strides, for few channels, and for every shape when the precision is exact.
#pragma once
#include "tensor/conv_shape.h"

namespace tensor::cpu {

/// Backend::conv2d on f32. b may be null.
void direct_conv(const ConvShape& z, const float* x, const float* w, const float* b, Activation activation, float* y);
/// Backend::conv2d_grad_input on f32. b may be null.
void direct_grad_input(const ConvShape& z, const float* dy, const float* w, const float* b, float* dx);
/// Backend::conv2d_grad_weight on f32.
void direct_grad_weight(const ConvShape& z, const float* dy, const float* x, float* dw);

/// Floats of scratch that the three take.
int64_t direct_conv_scratch(const ConvShape& z);
int64_t direct_grad_input_scratch(const ConvShape& z);
int64_t direct_grad_weight_scratch(const ConvShape& z);

}  // namespace tensor::cpu
