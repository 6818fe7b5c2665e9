/// Winograd convolutions F(4x4,3x3), F(2x2,3x3) and F(4x4,5x5): stride 1, a result as large as the image, channels in
/// whole vectors.
///
/// Relative error against f64: F(4x4,3x3) about 1e-6 to 2e-6, F(4x4,5x5) 2e-6 (16 channels) to 6e-6 (272),
/// F(2x2) below a direct sum's.
/// Per value f of a tile, the products are a matrix product M[f][t][k] = V[f][t][c] U[f][c][k] over tiles t. Three ways
/// to order the work, so that what is reused stays in a core's cache; no sum depends on which thread does what.
#pragma once
#include "tensor/conv_shape.h"
#include "tensor/cpu/image_part.h"

namespace tensor::cpu {

/// Backend::conv2d, _grad_input and _grad_weight on f32; the image may be in parts, b may be null. F(MxM,RxR).
template <int M, int R>
void winograd_conv(const ConvShape& z, const ImageIn& x, const float* w, const float* b, Activation activation,
                   float* y);
template <int M, int R>
void winograd_grad_input(const ConvShape& z, const float* dy, const float* w, const float* b, const ImageOut& dx);
template <int M, int R>
void winograd_grad_weight(const ConvShape& z, const float* dy, const ImageIn& x, float* dw);

/// Floats of scratch that they take.
template <int M, int R>
int64_t winograd_conv_scratch(const ConvShape& z);
template <int M, int R>
int64_t winograd_grad_input_scratch(const ConvShape& z);
template <int M, int R>
int64_t winograd_grad_weight_scratch(const ConvShape& z);

}  // namespace tensor::cpu
