/// Every differentiable function. Each is defined once: a forward call and a table `input -> gradient formula`.
/// Tests, parity and benchmarks of all of them come from autograd/op_cases.h.
#pragma once
#include <vector>

#include "autograd/variable.h"
#include "tensor/gaussian/gaussian_filter.h"

namespace autograd {

using tensor::Activation;
using tensor::ConvOptions;
using tensor::Parts;
using tensor::RandomKey;
using tensor::ResizeMode;

// ---- element-wise (elementwise.cpp) --------------------------------------------------------------------------------
/// a + b; b: a's shape, one row [C], or one element.
Variable add(const Variable& a, const Variable& b);
/// a - b, shapes as add.
Variable subtract(const Variable& a, const Variable& b);
/// a b, shapes as add.
Variable multiply(const Variable& a, const Variable& b);
/// scale x + shift
Variable affine(const Variable& x, double scale, double shift);
/// max(x, 0)
Variable relu(const Variable& x);
/// 1 / (1 + e^-x)
Variable sigmoid(const Variable& x);
/// (e^x - e^-x) / (e^x + e^-x)
Variable tanh(const Variable& x);
/// e^x
Variable exp(const Variable& x);
/// ln x; NaN below 0
Variable log(const Variable& x);
/// e^x / sum e^x along the last axis
Variable softmax(const Variable& x);
/// x / (1 - p) with probability 1 - p, else 0; the mask is a pure function of `key`. 0 <= p < 1.
Variable dropout(const Variable& x, double p, const RandomKey& key);
/// x as another float type, its gradient cast back; x itself where it is of that type already. bf16: on cuda.
Variable cast(const Variable& x, tensor::DType dtype);
/// x with other extents
Variable reshape(const Variable& x, const tensor::Shape& shape);
/// Sum of all elements: [1].
Variable sum(const Variable& x);
/// Mean of all elements: [1].
Variable mean(const Variable& x);

// The same with signs. b as in add; numbers are of x's type.
inline Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }
inline Variable operator-(const Variable& a, const Variable& b) { return subtract(a, b); }
inline Variable operator*(const Variable& a, const Variable& b) { return multiply(a, b); }
inline Variable operator-(const Variable& x) { return affine(x, -1, 0); }
inline Variable operator+(const Variable& x, double number) { return affine(x, 1, number); }
inline Variable operator+(double number, const Variable& x) { return affine(x, 1, number); }
inline Variable operator-(const Variable& x, double number) { return affine(x, 1, -number); }
inline Variable operator-(double number, const Variable& x) { return affine(x, -1, number); }
inline Variable operator*(const Variable& x, double number) { return affine(x, number, 0); }
inline Variable operator*(double number, const Variable& x) { return affine(x, number, 0); }
inline Variable operator/(const Variable& x, double number) { return affine(x, 1 / number, 0); }

// ---- matrix product (linalg.cpp) -----------------------------------------------------------------------------------
/// a [M,K] b [K,N] -> [M,N]
Variable matmul(const Variable& a, const Variable& b);
/// y = x w^T + b, for each row of x. x [..., C], w [K,C], b [K] or undefined -> [..., K]; the same kernels as a 1x1
/// convolution.
Variable linear(const Variable& x, const Variable& w, const Variable& b);

// ---- convolution (conv.cpp) ----------------------------------------------------------------------------------------
/// y = act(x * w + b), cross-correlation. x [N,H,W,C], w [K,R,S,C], b [K] or undefined -> [N,P,Q,K]. If x is in parts,
/// the result is that of concat(parts), which is made only where the device's kernels need it.
Variable conv2d(const Parts<Variable>& x, const Variable& w, const Variable& b, const ConvOptions& options,
                Activation activation = Activation::none);
/// The transpose of conv2d. x [N,P,Q,K], w [K,R,S,C], b [C] or undefined -> [N, (P-1) stride + R - 2 padding, ..., C].
Variable conv_transpose2d(const Variable& x, const Variable& w, const Variable& b, const ConvOptions& options);

// ---- windows (pool.cpp, resample.cpp) ------------------------------------------------------------------------------
struct Pooled {
  Variable y;
  Tensor index;           ///< u8: place of the maximum in its window
  tensor::Shape x_shape;  ///< of the pooled image, for max_unpool2d
  int64_t kernel, stride;
};
/// Largest value of each kernel x kernel window, no padding. x [N,H,W,C] -> [N,P,Q,C].
Pooled max_pool2d(const Variable& x, int64_t kernel = 2, int64_t stride = 2);
/// Puts x back where `pooled` found its maxima, zero elsewhere. x [N,P,Q,C] -> pooled.x_shape.
Variable max_unpool2d(const Variable& x, const Pooled& pooled);
/// x [N,H,W,C] -> [N,height,width,C].
Variable resize(const Variable& x, int64_t height, int64_t width, ResizeMode mode);

// ---- channels (norm.cpp, elementwise.cpp) --------------------------------------------------------------------------
/// Joins along the last axis; made again rather than kept for the backward pass.
Variable concat(const std::vector<Variable>& parts);
/// Batch normalisation over every axis but the last.
/// y = act(gamma (x - mean) rstd + beta), rstd = 1 / sqrt(var + epsilon), var biased (1/M). In training mean and var
/// are x's, and running = (1 - momentum) running + momentum batch, with the unbiased variance 1/(M-1); in evaluation
/// they are the running ones. x: [..., C]; the rest [C]. running_mean and running_var are updated in place. y is made
/// again rather than kept. Throws if x has fewer than 2 values per channel in training.
/// Source: Ioffe & Szegedy 2015; conventions of PyTorch.
struct BatchNormOptions {
  bool training = true;
  double momentum = 0.1, epsilon = 1e-5;
  Activation activation = Activation::none;
};
Variable batch_norm(const Variable& x, const Variable& gamma, const Variable& beta, const Tensor& running_mean,
                    const Tensor& running_var, const BatchNormOptions& options);

// ---- mean-field CRF (crf.cpp) --------------------------------------------------------------------------------------
/// One Gaussian filter an image of the batch; filters of positions alone may be shared.
using Filters = tensor::GaussianFilters;
/// Each image by its own filter, channels together. x [N,H,W,C] -> [N,H,W,C].
Variable gaussian_filter(const Variable& x, const Filters& filters);
/// Mean-field inference in a fully connected CRF with learned weights.
/// q_0 = U = logits; `iterations` times: Q = softmax(q); S, B = Q filtered by `spatial`, `bilateral`;
/// M = W_s S + W_b B per pixel; q = U - C M. The result is q.
/// logits: [N,H,W,L], weights [L,L]. One channel z stands for two labels U = (0, z) with weights [2,2] and gives q_1 -
/// q_0, at half the filtering: sum over labels of a filtered Q is the filtered 1, so Q_1 = sigmoid(q_1 - q_0) says all.
/// Throws on other weight shapes, iterations < 1, or a number of filters other than N.
/// Source: Zheng et al. 2015; Krahenbuhl & Koltun 2011.
Variable mean_field(const Variable& logits, const Filters& spatial, const Filters& bilateral,
                    const Variable& spatial_weight, const Variable& bilateral_weight, const Variable& compatibility,
                    int iterations);

// ---- losses (loss.cpp): all [1], means over all elements; targets need no gradient ---------------------------------
/// mean (x - target)^2
Variable mse_loss(const Variable& x, const Tensor& target);
/// mean -[t ln p + (1-t) ln(1-p)], logarithms floored at log_floor. p in [0, 1].
Variable binary_cross_entropy(const Variable& p, const Tensor& target, double log_floor = -100);
/// The same of p = sigmoid(z), from the logits z: a saturated wrong pixel keeps its gradient.
Variable binary_cross_entropy_with_logits(const Variable& z, const Tensor& target);
/// mean of ln(sum of e^z) - z[class]: softmax and -ln of the class's probability in one. z [..., C], `classes` i32
/// [...]. On the host, throws on a class that is not one of 0 to C-1; on cuda the loss is NaN then.
Variable cross_entropy(const Variable& z, const Tensor& classes);
/// 1 - mean over images of (2 sum(p t) + smooth) / (sum p + sum t + smooth). p, target: [N, ...].
Variable soft_dice_loss(const Variable& p, const Tensor& target, double smooth = 1);

}  // namespace autograd
