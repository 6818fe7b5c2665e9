/// Convolutions of an image whose channels lie in several places.
#pragma once
#include <cstdint>
#include <vector>

#include "tensor/conv_shape.h"
#include "tensor/parts.h"
#include "tensor/tensor.h"

namespace tensor {

/// What a device may have beside the contract: the convolutions of tensor/backend.h on an image in parts, without
/// joining them first. A U-Net's decoder convolves such images: what comes up from below beside what the encoder kept.
/// Null where the device lacks them.
struct ConvInParts {
  /// Whether all three passes take an image of z in parts of these numbers of channels; if not, it must be joined.
  bool (*takes_parts)(const ConvShape& z, const std::vector<int64_t>& channels, DType dtype);
  void (*conv2d_parts)(const ConvShape& z, const Parts<Tensor>& x, const Tensor& w, const Tensor& b,
                       Activation activation, const Tensor& y);
  void (*grad_input_parts)(const ConvShape& z, const Tensor& dy, const Tensor& w, const Parts<Tensor>& dx);
  void (*grad_weight_parts)(const ConvShape& z, const Tensor& dy, const Parts<Tensor>& x, const Tensor& dw);
};

}  // namespace tensor
