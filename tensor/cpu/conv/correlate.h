/// One correlation by the register tile: the common part of the forward pass and of the input gradient.
#pragma once
#include "tensor/conv_shape.h"
#include "tensor/cpu/conv/band.h"
#include "tensor/cpu/conv/pack.h"

namespace tensor::cpu {

/// Where a correlation writes: channel k of output (p, q) of image n lies at y[n image + p row + q pixel + k].
struct Outputs {
  float* y;
  int64_t channels, pixel, row, image;
};

/// y = act(bias + correlation of z with the packed filters). bias: Panels::padded() values. scratch: z.scratch() floats
/// a thread.
void correlate(const Windows& z, const Outputs& to, const Panels& filters, const float* bias, Activation activation,
               float* scratch);
/// The same for few output channels, where vectors run along the products instead: filters [channels][z.depth()].
void correlate_few(const Windows& z, const Outputs& to, const float* filters, const float* bias, Activation activation,
                   float* scratch);
/// Whether correlate_few is the better one.
bool few_channels(const Windows& z, int64_t channels);

}  // namespace tensor::cpu
