/// The .cu files' kernels that host code composes: convolutions and Gaussian filters, on plain device pointers. The
/// others enter the contract's table themselves. T is float or double; where Wide<T> stands beside it, BFloat16 too,
/// which is computed with in f32.
#pragma once
#include <cstdint>

#include "tensor/bfloat16.h"
#include "tensor/conv_shape.h"
#include "tensor/cuda/image_parts.h"

namespace tensor::cuda {

// ---- elementwise.cu -------------------------------------------------------------------------------------------------
/// y[row, k] = act(y[row, k] + bias[k]); bias may be null.
template <class T>
void add_bias(const Wide<T>* bias, Activation activation, T* y, int64_t n, int64_t channels);

// ---- conv.cu: direct sums in f64 ------------------------------------------------------------------------------------
template <class T>
void conv2d(const ConvShape& z, const T* x, const Wide<T>* w, const Wide<T>* b, Activation activation, T* y);
template <class T>
void conv2d_grad_input(const ConvShape& z, const T* dy, const Wide<T>* w, const Wide<T>* b, T* dx);
/// Doubles of workspace; 0 where pixels are few.
int64_t conv2d_grad_weight_workspace(const ConvShape& z);
template <class T>
void conv2d_grad_weight(const ConvShape& z, const T* dy, const T* x, double* workspace, Wide<T>* dw);

// ---- patches.cu -----------------------------------------------------------------------------------------------------
/// patches[(n, p, q), (r, s, c)] = x[n, row(p,r), col(q,s), c], 0 in the padding.
template <class T>
void gather_patches(const ConvShape& z, const T* x, T* patches);
/// dx[n,h,w,c] = b[c] + the sum of the patches' elements that were read there; b may be null.
template <class T>
void sum_patches(const ConvShape& z, const T* patches, const Wide<T>* b, T* dx);

// ---- conv3x3.cu, conv3x3_grad_weight.cu: tensor cores, bf16 ---------------------------------------------------------
/// Where ProductPlan::has_windows(pass, shape). Floats of workspace as below; slices of the sum go to a y of one part.
int64_t conv3x3_workspace(const ConvShape& z);
/// w is [k, 3, 3, c], or with kTurned [c, 3, 3, k], turned about its centre: the input's gradient, of z.turned().
template <bool kTurned>
void conv3x3(const ConvShape& z, const ImageParts<const BFloat16>& x, const BFloat16* w, const float* b,
             Activation activation, float* workspace, const ImageParts<BFloat16>& y);
/// dw[k, 3, 3, c] of dy[n, p, q, k] and x.
int64_t conv3x3_grad_weight_workspace(const ConvShape& z);
void conv3x3_grad_weight(const ConvShape& z, const BFloat16* dy, const ImageParts<const BFloat16>& x, float* workspace,
                         float* dw);

// ---- implicit_gemm.cu: tensor cores ---------------------------------------------------------------------------------
/// T: float, rounded to 10 bits of mantissa, or BFloat16. Rows that are read at once are multiples of 16 bytes: c, and
/// of gradients the filters that dy has, of which z.k may be fewer.
/// The elements of an image, and the pixels of all, may be so many.
constexpr int64_t kMostOffset = (int64_t(1) << 31) - 1;
/// Floats of workspace that the sums over slices need; 0 where there is one slice.
template <class T>
int64_t conv2d_mma_workspace(const ConvShape& z);
template <class T>
void conv2d_mma(const ConvShape& z, const T* x, const T* w, const float* b, Activation activation, float* workspace,
                T* y);
/// turned[c, r, s, k] = w[k, R-1-r, S-1-s, c], and 0 from z.k on to `filters`: with it the input's gradient of stride 1
/// is a convolution of dy.
template <class T>
void turn_weight(const ConvShape& z, int64_t filters, const T* w, T* turned);
/// Rows of `channels`, at most 8, become rows of 8 in bf16, the rest 0. From: float or BFloat16.
template <class From>
void pad_channels(const From* x, int64_t rows, int64_t channels, BFloat16* y);
/// The input's gradient where windows tile the image (stride = extent, no padding): one product, in bf16.
int64_t conv2d_tiles_mma_workspace(const ConvShape& z);
void conv2d_tiles_mma(const ConvShape& z, const BFloat16* dy, const BFloat16* w, const float* b, float* workspace,
                      BFloat16* dx);
template <class T>
int64_t conv2d_grad_weight_mma_workspace(const ConvShape& z);
template <class T>
void conv2d_grad_weight_mma(const ConvShape& z, int64_t filters, const T* dy, const T* x, float* workspace, float* dw);

}  // namespace tensor::cuda
