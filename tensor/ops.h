/// Operations on tensors: check the arguments, allocate the result, run the kernel where the tensors are.
/// All throw Error, naming the op and the shapes, when devices, dtypes or shapes do not fit.
#pragma once
#include <vector>

#include "tensor/backend.h"
#include "tensor/parts.h"

namespace tensor {

// ---- making --------------------------------------------------------------------------------------------------------
Tensor full(const Shape& shape, double value, DType dtype, Device device);
Tensor zeros(const Shape& shape, DType dtype, Device device);
/// `value` everywhere, with like's shape, dtype and device.
Tensor full_like(const Tensor& like, double value);
/// low + (high - low) uniform(key, i).
Tensor uniform(const RandomKey& key, const Shape& shape, double low, double high, DType dtype, Device device);
/// mean + deviation normal(key, i).
Tensor normal(const RandomKey& key, const Shape& shape, double mean, double deviation, DType dtype, Device device);
Tensor cast(const Tensor& x, DType dtype);
/// Each as `dtype`, which is another than theirs: in few launches on a GPU.
std::vector<Tensor> cast_all(const std::vector<Tensor>& x, DType dtype);

// ---- element-wise (formulas: tensor/scalar_ops.h) ------------------------------------------------------------------
/// Both overwrite their first argument when it alone owns its memory: std::move what is needed no more.
Tensor map(const MapOp& op, Tensor x);
/// b: a's shape, one row [a's last extent], or one element.
Tensor zip(const ZipOp& op, Tensor a, const Tensor& b);
/// target = op(target), in place, whoever shares it.
void map_in(const Tensor& target, const MapOp& op);
/// target = target + x, in place.
void add_to(const Tensor& target, const Tensor& x);
/// Sum of everything: [1].
Tensor sum(const Tensor& x);
/// Sum over all but the last axis: [C].
Tensor sum_to_last(const Tensor& x);
Tensor dropout(const RandomKey& key, double p, const Tensor& x);

// ---- matrix product ------------------------------------------------------------------------------------------------
/// op(a) op(b) of two matrices, op transposing on request.
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);

// ---- convolution ---------------------------------------------------------------------------------------------------
/// Extents of conv2d(x, w). Throws on ranks, channel counts, stride < 1 or a kernel larger than the padded image.
ConvShape conv_shape(const Shape& x, const Shape& w, const ConvOptions& options);
/// x [N,H,W,C] whole or in parts, w [K,R,S,C], b [K] or undefined -> [N,P,Q,K].
Tensor conv2d(const Parts<Tensor>& x, const Tensor& w, const Tensor& b, const ConvOptions& options,
              Activation activation = Activation::none);
/// Gradient of the input of conv2d: dy [N,P,Q,K] -> `x` = [N,H,W,C]; b [C] or undefined is added.
Tensor conv2d_grad_input(const Tensor& dy, const Tensor& w, const Shape& x, const ConvOptions& options,
                         const Tensor& b = {});
/// The same for an image in parts of these numbers of channels, in parts: `x` = [N,H,W,C], C their sum.
std::vector<Tensor> conv2d_grad_parts(const Tensor& dy, const Tensor& w, const Shape& x,
                                      const std::vector<int64_t>& channels, const ConvOptions& options);
/// Gradient of the weight of conv2d: `w` = [K,R,S,C].
Tensor conv2d_grad_weight(const Tensor& dy, const Parts<Tensor>& x, const Shape& w, const ConvOptions& options);
/// Output extents of a transposed convolution of x [N,P,Q,K] by w [K,R,S,C]: [N, (P-1) stride + R - 2 padding, ..., C].
Shape conv_transpose_shape(const Shape& x, const Shape& w, const ConvOptions& options);

// ---- windows -------------------------------------------------------------------------------------------------------
PoolShape pool_shape(const Shape& x, int64_t kernel, int64_t stride);
struct Pooled {
  Tensor y, index;  ///< index: u8, of y's shape
};
Pooled max_pool(const Tensor& x, int64_t kernel, int64_t stride);
Tensor max_pool_grad(const Tensor& dy, const Tensor& index, const Shape& x, int64_t kernel, int64_t stride);
Tensor max_unpool(const Tensor& x, const Tensor& index, const Shape& y, int64_t kernel, int64_t stride);
Tensor max_unpool_grad(const Tensor& dy, const Tensor& index, int64_t kernel, int64_t stride);
/// x [N,H,W,C] -> [N,height,width,C].
Tensor resize(const Tensor& x, int64_t height, int64_t width, ResizeMode mode);
Tensor resize_grad(const Tensor& dy, const Shape& x, ResizeMode mode);

/// Weights [K,...], each filter k times scale[k]; the products are rounded once.
Tensor scale_filters(const Tensor& w, const std::vector<double>& scale);

// ---- channels ------------------------------------------------------------------------------------------------------
/// Joins along the last axis.
Tensor concat(const std::vector<Tensor>& parts);
/// Channels [first, first + count).
Tensor channels(const Tensor& x, int64_t first, int64_t count);
struct Statistics {
  Tensor mean, variance;  ///< [C]; variance biased
};
Statistics batch_norm_statistics(const Tensor& x);
/// Of a training pass: mean and rstd [C] of x; moves the running values in place. Formulas: tensor/backend.h.
struct Standardization {
  Tensor mean, rstd;
};
Standardization batch_norm_update(const RunningUpdate& u, const Tensor& x, const Tensor& running_mean,
                                  const Tensor& running_variance);
Tensor batch_norm(const BatchNorm& b);
struct BatchNormSums {
  Tensor dgamma, dbeta;  ///< [C]: the gradients of gamma and beta
};
BatchNormSums batch_norm_grad_sums(const BatchNorm& b, const Tensor& dy);
/// Overwrites dy when it alone owns its memory.
Tensor batch_norm_grad_input(const BatchNorm& b, Tensor dy, const BatchNormSums& sums, bool training);

// ---- classes -------------------------------------------------------------------------------------------------------
Tensor softmax(const Tensor& x);
Tensor softmax_grad(const Tensor& dy, const Tensor& y);
/// z [..., C], classes i32 [...] -> [...]: ln(sum of e^z) - z[class]. On the host, throws on a class that is not one of
/// 0 to C-1; on cuda the result is NaN there.
Tensor cross_entropy(const Tensor& z, const Tensor& classes);
/// softmax(z) - (1 at the class, else 0), of z's shape: the gradient of their sum. `classes` as cross_entropy took
/// them.
Tensor cross_entropy_grad(const Tensor& z, const Tensor& classes);

// ---- update (in place) ---------------------------------------------------------------------------------------------
void adam_step(const AdamStep& s, const Tensor& g, const Tensor& w, const Tensor& m, const Tensor& v);
void adam_steps(const std::vector<AdamUpdate>& updates);
/// [x.size()]: a finite number for each tensor of which all is finite, NaN or an infinity for each other.
Tensor non_finite(const std::vector<Tensor>& x);
void sgd_step(const SgdStep& s, const Tensor& g, const Tensor& w, const Tensor& velocity);

}  // namespace tensor
