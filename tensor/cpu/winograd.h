/// Winograd convolutions F(4x4,3x3) and F(2x2,3x3): 3x3 kernels, stride 1, padding 1, channels in whole vectors.
///
/// Relative error against f64: F(4x4) about 1e-6 to 2e-6, F(2x2) below a direct sum's.
/// Per value f of a tile, the products are a matrix product M[f][t][k] = V[f][t][c] U[f][c][k] over tiles t. Three ways
/// to order the work, so that what is reused stays in a core's cache; no sum depends on which thread does what.
#pragma once
#include "tensor/conv_shape.h"

namespace tensor::cpu {

/// Whether the functions below serve z.
bool winograd_serves(const ConvShape& z);

/// Backend::conv2d, _grad_input and _grad_weight on f32; b may be null. M: 4 or 2.
template <int M>
void winograd_conv(const ConvShape& z, const float* x, const float* w, const float* b, Activation activation, float* y);
template <int M>
void winograd_grad_input(const ConvShape& z, const float* dy, const float* w, const float* b, float* dx);
template <int M>
void winograd_grad_weight(const ConvShape& z, const float* dy, const float* x, float* dw);

/// Floats of scratch that they take.
template <int M>
int64_t winograd_conv_scratch(const ConvShape& z);
template <int M>
int64_t winograd_grad_input_scratch(const ConvShape& z);
template <int M>
int64_t winograd_grad_weight_scratch(const ConvShape& z);

}  // namespace tensor::cpu
