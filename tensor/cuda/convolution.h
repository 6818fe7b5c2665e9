/// Which kernel serves a convolution on the GPU. Host code only.
///
/// precision exact: direct sums, which are f64 in every precision. f32 (and f64): patches and cuBLAS, images in groups
/// whose patches fit 256 MiB; direct sums where the product is too thin for a matrix product to pay, or in f32 so small
/// that exactness is free. tf32, bf16: implicit GEMM on tensor cores; in bf16, where they can, 3x3 windows that share
/// their pixels.
#pragma once
#include "tensor/backend.h"

namespace tensor::cuda {

/// The algorithms: "direct", "patches", "implicit", "windows". For benchmarks and tests, as are the next two; all three
/// throw Error in a build without CUDA.
std::vector<std::string> conv_methods();
/// Until it is called with "", every convolution takes this algorithm, or throws Error where it cannot.
void force_conv_method(const std::string& name);
/// The one that a convolution of images kept as `dtype` takes in the present precision. Throws Error where the forced
/// one cannot.
std::string conv_method(const ConvShape& z, ConvPass pass, DType dtype);

/// Bytes from the arena that the calls below take while they run, with a weight that has the images' type, as a
/// network's has (nn/precision.h); another is copied.
int64_t conv_workspace_bytes(const ConvShape& z, ConvPass pass, DType dtype);

/// Arguments as in Backend::conv2d and its gradients.
void convolve(const ConvShape& z, const Tensor& x, const Tensor& w, const Tensor& b, Activation activation,
              const Tensor& y);
void convolve_grad_input(const ConvShape& z, const Tensor& dy, const Tensor& w, const Tensor& b, const Tensor& dx);
void convolve_grad_weight(const ConvShape& z, const Tensor& dy, const Tensor& x, const Tensor& dw);

/// Arguments as in ConvInParts (tensor/conv_parts.h): where all three passes have windows that share their pixels.
bool takes_parts(const ConvShape& z, const std::vector<int64_t>& channels, DType dtype);
void convolve_parts(const ConvShape& z, const Parts<Tensor>& x, const Tensor& w, const Tensor& b, Activation activation,
                    const Tensor& y);
void convolve_grad_input_parts(const ConvShape& z, const Tensor& dy, const Tensor& w, const Parts<Tensor>& dx);
void convolve_grad_weight_parts(const ConvShape& z, const Tensor& dy, const Parts<Tensor>& x, const Tensor& dw);

}  // namespace tensor::cuda
