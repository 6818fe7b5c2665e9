/// What the .cu files implement: the kernels of the contract on plain device pointers. T is float or double; where
/// Wide<T> stands beside it, BFloat16 too, which is computed with in f32.
/// Includes nothing that nvcc cannot compile (fmt), so tensors stay outside.
#pragma once
#include <cstdint>

#include "tensor/bfloat16.h"
#include "tensor/conv_shape.h"
#include "tensor/pool_shape.h"
#include "tensor/random.h"
#include "tensor/scalar_ops.h"

namespace tensor::cuda {

// ---- elementwise.cu
// --------------------------------------------------------------------------------------------------
/// map, zip, fill: T may be BFloat16.
template <class T>
void map(const MapOp& op, const T* x, T* y, int64_t n);
/// b repeats with period b_size.
template <class T>
void zip(const ZipOp& op, const T* a, const T* b, int64_t b_size, T* y, int64_t n);
/// From and To: float, double, int32_t or uint8_t; or one is BFloat16 and the other a float type.
template <class From, class To>
void cast(const From* x, To* y, int64_t n);
template <class T>
void fill(T value, T* y, int64_t n);
/// y[row, k] = act(y[row, k] + bias[k]); bias may be null.
template <class T>
void add_bias(const Wide<T>* bias, Activation activation, T* y, int64_t n, int64_t channels);

// ---- random.cu
// -------------------------------------------------------------------------------------------------------
template <class T>
void fill_uniform(const RandomKey& key, double low, double high, T* y, int64_t n);
template <class T>
void fill_normal(const RandomKey& key, double mean, double deviation, T* y, int64_t n);
/// The key's step is *step where that is not null, read when the kernel runs. T may be BFloat16.
template <class T>
void dropout(const RandomKey& key, const int32_t* step, double p, const T* x, T* y, int64_t n);

// ---- reduce.cu, norm.cu
// ----------------------------------------------------------------------------------------------
/// Doubles of workspace that a sum over columns of n elements in `channels` channels needs.
template <class T>
int64_t column_sums_workspace(int64_t n, int64_t channels, int sums);
template <class T>
void sum(const T* x, int64_t n, int64_t channels, double* workspace, Wide<T>* y);

/// The operands of BatchNorm (tensor/backend.h); n elements in `channels` channels.
template <class T>
struct Norm {
  const T* x;
  const Wide<T>*mean, *rstd, *gamma, *beta;
  int64_t n, channels;
  bool relu;
};
template <class T>
void batch_norm_statistics(const T* x, int64_t n, int64_t channels, double* workspace, Wide<T>* mean,
                           Wide<T>* variance);
template <class T>
void batch_norm(const Norm<T>& b, T* y);
template <class T>
void batch_norm_grad_sums(const Norm<T>& b, const T* dy, double* workspace, Wide<T>* dgamma, Wide<T>* dbeta);
template <class T>
void batch_norm_grad_input(const Norm<T>& b, const T* dy, const Wide<T>* dgamma, const Wide<T>* dbeta, bool training,
                           T* dx);

// ---- pool.cu, resample.cu, channels.cu
// -------------------------------------------------------------------------------
/// T may be BFloat16, but for softmax.
template <class T>
void max_pool(const PoolShape& z, const T* x, T* y, uint8_t* index);
template <class T>
void max_pool_grad(const PoolShape& z, const T* dy, const uint8_t* index, T* dx);
template <class T>
void max_unpool(const PoolShape& z, const T* x, const uint8_t* index, T* y);
template <class T>
void max_unpool_grad(const PoolShape& z, const T* dy, const uint8_t* index, T* dx);
template <class T>
void resize(const ResizeShape& z, const T* x, T* y);
template <class T>
void resize_grad(const ResizeShape& z, const T* dy, T* dx);
/// Rows of elements of `element_bytes`: 1, 2, 4 or 8.
void copy_channels(int64_t element_bytes, const void* x, int64_t x_channels, int64_t x_first, int64_t count, void* y,
                   int64_t y_channels, int64_t y_first, int64_t rows);
template <class T>
void softmax(const T* x, T* y, int64_t rows, int64_t classes);
template <class T>
void softmax_grad(const T* dy, const T* y, T* dx, int64_t rows, int64_t classes);

// ---- conv.cu: direct sums in f64
// ---------------------------------------------------------------
template <class T>
void conv2d(const ConvShape& z, const T* x, const Wide<T>* w, const Wide<T>* b, Activation activation, T* y);
template <class T>
void conv2d_grad_input(const ConvShape& z, const T* dy, const Wide<T>* w, const Wide<T>* b, T* dx);
/// Doubles of workspace; 0 where pixels are few.
int64_t conv2d_grad_weight_workspace(const ConvShape& z);
template <class T>
void conv2d_grad_weight(const ConvShape& z, const T* dy, const T* x, double* workspace, Wide<T>* dw);

// ---- patches.cu
// ------------------------------------------------------------------------------------------------------
/// patches[(n, p, q), (r, s, c)] = x[n, row(p,r), col(q,s), c], 0 in the padding.
template <class T>
void gather_patches(const ConvShape& z, const T* x, T* patches);
/// dx[n,h,w,c] = b[c] + the sum of the patches' elements that were read there; b may be null.
template <class T>
void sum_patches(const ConvShape& z, const T* patches, const Wide<T>* b, T* dx);

// ---- implicit_gemm.cu: tensor cores
// -------------------------------------------------------------------
/// T: float, rounded to 10 bits of mantissa, or BFloat16. c and k are multiples of 16 bytes, every offset fits 32 bits.
/// Floats of workspace that the sums over slices need; 0 where there is one slice.
template <class T>
int64_t conv2d_mma_workspace(const ConvShape& z);
template <class T>
void conv2d_mma(const ConvShape& z, const T* x, const T* w, const float* b, Activation activation, float* workspace,
                T* y);
/// turned[c, r, s, k] = w[k, R-1-r, S-1-s, c]: with it the input's gradient of stride 1 is a convolution of dy.
template <class T>
void turn_weight(const ConvShape& z, const float* w, T* turned);
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
void conv2d_grad_weight_mma(const ConvShape& z, const T* dy, const T* x, float* workspace, float* dw);

// ---- optimizer.cu
// ----------------------------------------------------------------------------------------------------
/// w -= rate m / (sqrt(v) correction + epsilon), as adam_factors says.
struct Adam {
  double rate, correction, beta1, beta2, epsilon, weight_decay;
};
template <class T>
void adam_step(const Adam& s, const T* g, T* w, T* m, T* v, int64_t n);
template <class T>
void sgd_step(double learning_rate, double momentum, double weight_decay, const T* g, T* w, T* velocity, int64_t n);

// ---- crf.cu
// ----------------------------------------------------------------------------------------------------------
/// GaussianPass on one image: x, y: [points, c]; before, after: [points] or null.
template <class T>
struct Filtering {
  int64_t points, channels;
  bool transpose;
  const T *before, *after, *x;
  T* y;
};
template <class T>
void exact_gaussian(const Filtering<T>& f, const T* features, int64_t dimensions);
/// The lattice's tensors (tensor/gaussian/lattice.h), and two buffers of (vertices + 1) * channels.
template <class T>
struct LatticePointers {
  int64_t axes, vertices;
  const int32_t *vertex, *neighbour, *splat_start, *splat_corner;
  const T* weight;
  T* buffers;
};
template <class T>
void lattice_gaussian(const Filtering<T>& f, const LatticePointers<T>& l);

}  // namespace tensor::cuda
