/// Convolutions: checks, allocations, and images in parts, joined where the device cannot read them so.
#include <numeric>

#include "tensor/conv_parts.h"
#include "tensor/dispatch.h"
#include "tensor/op_checks.h"
#include "tensor/ops.h"

namespace tensor {

ConvShape conv_shape(const Shape& x, const Shape& w, const ConvOptions& o) {
  check(x.rank() == 4 && w.rank() == 4, "conv2d: needs image [N, H, W, C] and weight [K, R, S, C], got {} and {}", x,
        w);
  check(x[3] == w[3], "conv2d: image {} has {} channels, weight {} expects {}", x, x[3], w, w[3]);
  check(o.stride >= 1 && o.stride <= kMaxWindowStep && o.padding >= 0 && o.padding <= kMaxWindowStep,
        "conv2d: stride {} must be 1 to {}, padding {} 0 to {}", o.stride, kMaxWindowStep, o.padding, kMaxWindowStep);
  check(w[1] >= 1 && w[2] >= 1, "conv2d: weight {} has no taps", w);
  check(x[1] + 2 * o.padding >= w[1] && x[2] + 2 * o.padding >= w[2],
        "conv2d: weight {} is larger than image {} padded by {}", w, x, o.padding);
  return {x[0],
          x[1],
          x[2],
          x[3],
          w[0],
          w[1],
          w[2],
          (x[1] + 2 * o.padding - w[1]) / o.stride + 1,
          (x[2] + 2 * o.padding - w[2]) / o.stride + 1,
          o.stride,
          o.padding};
}

namespace {

/// Whether the kernels of `like`'s device take an image of z in parts of these numbers of channels.
bool takes_parts(const ConvShape& z, const std::vector<int64_t>& channels, const Tensor& like) {
  const auto takes = backend(like.device()).takes_parts;
  return channels.size() > 1 && takes && takes(z, channels, like.dtype());
}
bool takes_parts(const ConvShape& z, const Parts<Tensor>& x) {
  std::vector<int64_t> channels;
  for (const Tensor& part : x) channels.push_back(part.shape()[-1]);
  return takes_parts(z, channels, x[0]);
}

Tensor joined(const Parts<Tensor>& x) { return x.whole() ? x.only() : concat({x.begin(), x.end()}); }

/// The whole image's shape, whether `x` is in parts or not.
ConvShape checked_conv2d(const Parts<Tensor>& x, const Tensor& w, const Tensor& b, const ConvOptions& options) {
  const Shape image = joined_shape("conv2d", x);
  check_weight("conv2d", x[0], w);
  if (b.defined()) check_parameters("conv2d", x[0], {&b});
  const ConvShape z = conv_shape(image, w.shape(), options);
  if (b.defined()) check_row("conv2d", "bias", b, z.k);
  return z;
}

}  // namespace

Tensor conv2d(const Parts<Tensor>& x, const Tensor& w, const Tensor& b, const ConvOptions& options,
              Activation activation) {
  const ConvShape z = checked_conv2d(x, w, b, options);
  Tensor y = like(x[0], {z.n, z.p, z.q, z.k});
  takes_parts(z, x) ? run(&Backend::conv2d_parts, z, x, w, b, activation, y)
                    : run(&Backend::conv2d, z, joined(x), w, b, activation, y);
  return y;
}
Tensor conv2d_grad_input(const Tensor& dy, const Tensor& w, const Shape& x, const ConvOptions& options,
                         const Tensor& b) {
  check_activations("conv2d_grad_input", {&dy});
  check_weight("conv2d_grad_input", dy, w);
  if (b.defined()) check_parameters("conv2d_grad_input", dy, {&b});
  const ConvShape z = conv_shape(x, w.shape(), options);
  check_shape("conv2d_grad_input", "dy", dy.shape(), {z.n, z.p, z.q, z.k});
  if (b.defined()) check_row("conv2d_grad_input", "bias", b, z.c);
  Tensor dx = like(dy, x);
  run(&Backend::conv2d_grad_input, z, dy, w, b, dx);
  return dx;
}
std::vector<Tensor> conv2d_grad_parts(const Tensor& dy, const Tensor& w, const Shape& x,
                                      const std::vector<int64_t>& channels, const ConvOptions& options) {
  check_activations("conv2d_grad_parts", {&dy});
  check_weight("conv2d_grad_parts", dy, w);
  const ConvShape z = conv_shape(x, w.shape(), options);
  check_shape("conv2d_grad_parts", "dy", dy.shape(), {z.n, z.p, z.q, z.k});
  check(std::reduce(channels.begin(), channels.end()) == z.c, "conv2d_grad_parts: the parts do not have {} channels",
        z.c);
  std::vector<Tensor> parts;
  if (takes_parts(z, channels, dy)) {
    for (const int64_t c : channels) parts.push_back(like(dy, x.with(-1, c)));
    run(&Backend::grad_input_parts, z, dy, w, Parts(parts));
    return parts;
  }
  const Tensor dx = conv2d_grad_input(dy, w, x, options);
  if (channels.size() == 1) return {dx};
  int64_t first = 0;
  for (const int64_t c : channels) {
    parts.push_back(tensor::channels(dx, first, c));
    first += c;
  }
  return parts;
}
Tensor conv2d_grad_weight(const Tensor& dy, const Parts<Tensor>& x, const Shape& w, const ConvOptions& options) {
  const Shape image = joined_shape("conv2d_grad_weight", x);
  check_activations("conv2d_grad_weight", {&dy, &x[0]});
  const ConvShape z = conv_shape(image, w, options);
  check_shape("conv2d_grad_weight", "dy", dy.shape(), {z.n, z.p, z.q, z.k});
  Tensor dw = wide_like(dy, w);
  takes_parts(z, x) ? run(&Backend::grad_weight_parts, z, dy, x, dw)
                    : run(&Backend::conv2d_grad_weight, z, dy, joined(x), dw);
  return dw;
}
Shape conv_transpose_shape(const Shape& x, const Shape& w, const ConvOptions& o) {
  check(x.rank() == 4 && w.rank() == 4,
        "conv_transpose2d: needs image [N, P, Q, K] and weight [K, R, S, C], got {} and {}", x, w);
  check(x[3] == w[0], "conv_transpose2d: image {} has {} channels, weight {} expects {}", x, x[3], w, w[0]);
  check(o.stride >= 1 && o.stride <= kMaxWindowStep && o.padding >= 0 && o.padding <= kMaxWindowStep,
        "conv_transpose2d: stride {} must be 1 to {}, padding {} 0 to {}", o.stride, kMaxWindowStep, o.padding,
        kMaxWindowStep);
  check(x[1] >= 1 && x[2] >= 1, "conv_transpose2d: image {} is empty", x);
  const int64_t h = (x[1] - 1) * o.stride + w[1] - 2 * o.padding, v = (x[2] - 1) * o.stride + w[2] - 2 * o.padding;
  check(h >= 1 && v >= 1, "conv_transpose2d: image {} by weight {} with padding {} leaves nothing", x, w, o.padding);
  return {x[0], h, v, w[3]};
}

}  // namespace tensor
