/// The algorithms among which the cuda device chooses by a convolution's shape: for `cris bench convolutions` and tests.
#pragma once
#include <string>
#include <vector>

#include "tensor/conv_shape.h"
#include "tensor/dtype.h"

namespace tensor::cuda {

/// Their names: "direct", "patches", "implicit". Like the functions below throws Error in a build without CUDA.
std::vector<std::string> conv_methods();
/// Until it is called with "", every convolution takes this algorithm, or throws Error where it cannot.
void force_conv_method(const std::string& name);
/// The one that a convolution of images kept as `dtype` takes in the present precision. Throws Error where the forced
/// one cannot.
std::string conv_method(const ConvShape& z, ConvPass pass, DType dtype);

}  // namespace tensor::cuda
