/// THE CONTRACT: every kernel that a device must have, each by its formula. A device is a table of functions; each of
/// its files enters the kernels that it holds. Kernels are called through `run` (tensor/dispatch.h).
///
/// Rules. Arguments were checked by tensor/ops.cpp; kernels assume them. Outputs come last, are allocated and hold
/// garbage (a kernel writes every element); they overlap no input unless it is said. Images are [N,H,W,C], weights
/// [K,R,S,C], rows contiguous. Float kernels serve f32 and f64; those of the cpu f32 alone, `run` takes f64 to the
/// reference.
/// On cuda the images of map, zip, sum, dropout, convolutions, windows and channels may be bf16; their weights, biases,
/// statistics, sums and parameter gradients are then f32, and so is all arithmetic. A convolution's weight may be
/// rounded to bf16 beforehand. The same call gives the same bits, for any number of threads.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tensor/conv_parts.h"
#include "tensor/conv_shape.h"
#include "tensor/kernel_arguments.h"
#include "tensor/machine/device_memory.h"
#include "tensor/pool_shape.h"
#include "tensor/random.h"
#include "tensor/scalar_ops.h"

namespace tensor {

struct Lattice;  // tensor/gaussian/lattice.h

struct Backend : DeviceMemory, ConvInParts {
  /// What there is to know of the device and its driver, as (name, value), for people.
  std::vector<std::pair<std::string, std::string>> (*facts)();

  // ---- activations -------------------------------------------------------------------------------------------------
  /// What networks whose parameters are `parameters` keep between their layers, in the present precision.
  DType (*activation_type)(DType parameters);

  // ---- element-wise ------------------------------------------------------------------------------------------------
  /// y = op(x). y may be x.
  void (*map)(const MapOp& op, const Tensor& x, const Tensor& y);
  /// y[i] = op(a[i], b[i mod b.size()]): b is of a's size, one row (the last axis) or a scalar. y may be a or b (if of
  /// a's size).
  void (*zip)(const ZipOp& op, const Tensor& a, const Tensor& b, const Tensor& y);
  /// y[c] = sum of x over all but the last axis, or over everything when y has one element. f32 is summed in f64.
  void (*sum)(const Tensor& x, const Tensor& y);
  /// Between f32, f64, i32 and u8, to integers rounding toward zero; cuda: between bf16 and f32 or f64 too.
  void (*cast)(const Tensor& x, const Tensor& y);
  /// cast of each, from one type to another. Null where they are taken one by one.
  void (*cast_all)(const std::vector<Tensor>& x, const std::vector<Tensor>& y);
  void (*fill)(double value, const Tensor& y);
  /// y[i] = low + (high - low) uniform(key, i)
  void (*fill_uniform)(const RandomKey& key, double low, double high, const Tensor& y);
  /// y[i] = mean + deviation normal(key, i)
  void (*fill_normal)(const RandomKey& key, double mean, double deviation, const Tensor& y);
  /// y[i] = uniform(key, i) >= p ? x[i] / (1 - p) : 0. y may be x. The gradient is the same call on dy.
  void (*dropout)(const RandomKey& key, double p, const Tensor& x, const Tensor& y);

  // ---- matrix product ----------------------------------------------------------------------------------------------
  void (*matmul)(const MatmulShape& z, const Tensor& a, const Tensor& b, const Tensor& y);

  // ---- convolution (cross-correlation) -----------------------------------------------------------------------------
  /// Bytes that a convolution takes from the arena while it runs, in the present precision.
  int64_t (*conv_workspace_bytes)(const ConvShape&, ConvPass, DType);
  /// y[n,p,q,k] = act(b[k] + sum_{r,s,c} x[n, row(p,r), col(q,s), c] w[k,r,s,c]). b may be undefined: no bias.
  void (*conv2d)(const ConvShape& z, const Tensor& x, const Tensor& w, const Tensor& b, Activation activation,
                 const Tensor& y);
  /// dx[n,h,w,c] = b[c] + sum over the taps that read it of dy[n,p,q,k] w[k,r,s,c]. b may be undefined.
  /// This is also the forward pass of a transposed convolution, with dy its input and dx its output.
  void (*conv2d_grad_input)(const ConvShape& z, const Tensor& dy, const Tensor& w, const Tensor& b, const Tensor& dx);
  /// dw[k,r,s,c] = sum_{n,p,q} dy[n,p,q,k] x[n, row(p,r), col(q,s), c].
  void (*conv2d_grad_weight)(const ConvShape& z, const Tensor& dy, const Tensor& x, const Tensor& dw);

  /// y[k,...] = scale[k] w[k,...], a product of f64; scale is f64. Null where the host does it.
  void (*scale_filters)(const Tensor& w, const Tensor& scale, const Tensor& y);

  // ---- windows -----------------------------------------------------------------------------------------------------
  /// y = largest of each window (the first on ties, NaN wins); index (u8) = its place in the window. index may be
  /// undefined.
  void (*max_pool)(const PoolShape& z, const Tensor& x, const Tensor& y, const Tensor& index);
  /// dx[n,h,w,c] = sum of dy over the windows whose maximum is there.
  void (*max_pool_grad)(const PoolShape& z, const Tensor& dy, const Tensor& index, const Tensor& dx);
  /// y[n,h,w,c] = x of the last window (in row-major order) whose index points there, else 0. x: [n,p,q,c].
  void (*max_unpool)(const PoolShape& z, const Tensor& x, const Tensor& index, const Tensor& y);
  /// dx[n,p,q,c] = dy at the place that the window's index names.
  void (*max_unpool_grad)(const PoolShape& z, const Tensor& dy, const Tensor& index, const Tensor& dx);
  /// Interpolates by resize_tap along both axes.
  void (*resize)(const ResizeShape& z, const Tensor& x, const Tensor& y);
  /// The transpose of resize.
  void (*resize_grad)(const ResizeShape& z, const Tensor& dy, const Tensor& dx);

  // ---- channels ----------------------------------------------------------------------------------------------------
  /// y[..., i] = x[..., i] for i < count; other channels of y's image stay as they are.
  void (*copy_channels)(const ChannelRange& x, const ChannelRange& y);
  /// Over all but the last axis: mean[c], and variance[c] divided by the number of values (biased). f32 is summed in
  /// f64.
  void (*batch_norm_statistics)(const Tensor& x, const Tensor& mean, const Tensor& variance);
  /// What a training pass makes of x's statistics: mean; rstd = 1 / sqrt(variance + epsilon); in place running_mean =
  /// (1 - momentum) running_mean + momentum mean, running_variance alike with correction variance. The running values
  /// may be f32 beside f64. Null where tensor/ops.cpp has element-wise kernels follow batch_norm_statistics.
  void (*batch_norm_update)(const RunningUpdate& u, const Tensor& x, const Tensor& running_mean,
                            const Tensor& running_variance, const Tensor& mean, const Tensor& rstd);
  void (*batch_norm)(const BatchNorm& b, const Tensor& y);
  /// With dz = dy where the activation let it through, else 0: dbeta[c] = sum dz, dgamma[c] = sum dz xhat.
  void (*batch_norm_grad_sums)(const BatchNorm& b, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta);
  /// Training: dx = gamma rstd (dz - dbeta / M - xhat dgamma / M), M values per channel; else dx = gamma rstd dz. dx
  /// may be dy.
  void (*batch_norm_grad_input)(const BatchNorm& b, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta,
                                bool training, const Tensor& dx);

  // ---- classes -----------------------------------------------------------------------------------------------------
  /// Along the last axis: y = e^(x - max) / sum. y may be x.
  void (*softmax)(const Tensor& x, const Tensor& y);
  /// dx = y (dy - sum(dy y)).
  void (*softmax_grad)(const Tensor& dy, const Tensor& y, const Tensor& dx);
  /// Row i of z, t = classes[i] (i32): y[i] = ln(sum of e^z) - z[t]; NaN where z has no class t.
  void (*cross_entropy)(const Tensor& z, const Tensor& classes, const Tensor& y);
  /// dz = softmax(z) - (1 at t, else 0). dz may be z.
  void (*cross_entropy_grad)(const Tensor& z, const Tensor& classes, const Tensor& dz);

  // ---- CRF ---------------------------------------------------------------------------------------------------------
  /// K[i,j] = e^(-|f_i - f_j|^2 / 2), j = i included, its own transpose. features: [points, d].
  void (*exact_gaussian)(const Tensor& features, const GaussianPass& pass, const Tensor& x, const Tensor& y);
  /// Splat, blur [1/2, 1, 1/2] along axes 0..d (d..0 in the transpose), slice, times 1 / (1 + 2^-d): lattice.h.
  void (*lattice_gaussian)(const Lattice& lattice, const GaussianPass& pass, const Tensor& x, const Tensor& y);

  // ---- update (in place) -------------------------------------------------------------------------------------------
  /// g += weight_decay w; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
  /// w -= learning_rate mhat / (sqrt(vhat) + epsilon), mhat = m / (1 - beta1^step), vhat = v / (1 - beta2^step).
  void (*adam_step)(const AdamStep& s, const Tensor& g, const Tensor& w, const Tensor& m, const Tensor& v);
  /// adam_step of each, which share no memory. Null where they are taken one by one.
  void (*adam_steps)(const std::vector<AdamUpdate>& updates);
  /// y[i] = 0 where all of x[i] is finite, else NaN. Null where sums show it.
  void (*non_finite)(const std::vector<Tensor>& x, const Tensor& y);
  /// g += weight_decay w; velocity = momentum velocity + g; w -= learning_rate velocity.
  void (*sgd_step)(const SgdStep& s, const Tensor& g, const Tensor& w, const Tensor& velocity);
};

/// The table of a device. Throws Error when this build or this machine lacks it, saying what to do.
const Backend& backend(Device device);
/// One per implementation, beside those of tensor/cpu_kernels.h; `backend` is the only caller.
const Backend& reference_backend();
const Backend& cuda_backend();
const Backend& plan_backend();

}  // namespace tensor
