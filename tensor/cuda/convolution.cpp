/// Which kernel serves a convolution on the GPU.
#include "tensor/cuda/convolution.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "tensor/cuda/conv_kernels.h"
#include "tensor/cuda/gemm.h"
#include "tensor/cuda/product_plan.h"
#include "tensor/cuda/runtime.h"
#include "tensor/cuda/tensors.h"
#include "tensor/machine/allocator.h"
#include "tensor/precision.h"

namespace tensor::cuda {
namespace {

enum class Method { direct, patches, implicit, windows };
constexpr auto names(Method) { return Names{"method of convolution", {"direct", "patches", "implicit", "windows"}}; }
std::optional<Method> forced;

bool on_tensor_cores(Method m) { return m == Method::implicit || m == Method::windows; }

/// Every pixel belongs to one window, as in the transposed convolutions of a U-Net.
bool windows_tile(const ConvShape& z) {
  return z.stride == z.r && z.r == z.s && z.padding == 0 && z.h == z.p * z.r && z.w == z.q * z.s;
}

/// Methods of the input's gradient.
bool is_one_product(const ConvShape& z, DType dtype) {
  return dtype == DType::bf16 && windows_tile(z) && z.c % 8 == 0 && z.k % 8 == 0 &&
         z.n * z.p * z.q * z.k <= kMostOffset;
}

/// A thread reads 8 channels of bf16 at once. An image of fewer, a first layer's or the gradient of a head's result, is
/// given 8, which takes less memory than its patches.
bool is_padded(int64_t channels, DType dtype) { return dtype == DType::bf16 && channels < 8; }
int64_t padded_channels(int64_t channels, DType dtype) { return is_padded(channels, dtype) ? 8 : channels; }

/// The product reads 16 bytes of channels at once: of x forward, of dy for its gradient, of both for the weight's. What
/// it counts in 32 bits: pixels, the weight, and the elements of few images.
bool implicit_serves(ConvPass pass, const ConvShape& z, DType dtype) {
  const int64_t at_once = 16 / int64_t(size_of(dtype)), pixels = std::max(z.n * z.h * z.w, z.n * z.p * z.q);
  const int64_t c = padded_channels(z.c, dtype), k = padded_channels(z.k, dtype);
  const bool x_in_vectors = c % at_once == 0, dy_in_vectors = k % at_once == 0;
  const bool vectors = dtype == DType::f32            ? x_in_vectors && dy_in_vectors
                       : pass == ConvPass::forward    ? x_in_vectors
                       : pass == ConvPass::grad_input ? dy_in_vectors
                                                      : x_in_vectors && dy_in_vectors;
  const bool small = pixels <= kMostOffset && c * z.r * z.s * k <= kMostOffset &&
                     std::max((z.h + 2 * z.r) * (z.w + 2 * z.s) * c, z.p * z.q * k) <= kMostOffset;
  // With a stride most taps of an input pixel meet no window: the patches' product skips them, the implicit one cannot,
  // unless every pixel meets one.
  const bool dense =
      pass != ConvPass::grad_input || (z.stride == 1 && z.r == z.s && z.padding < z.r) || is_one_product(z, dtype);
  return device().major >= 8 && vectors && small && dense;
}

/// Where the implicit GEMM serves, 3x3 windows in bf16 may share their pixels.
bool windows_serve(ConvPass pass, const ConvShape& z, DType dtype) {
  return dtype == DType::bf16 && implicit_serves(pass, z, dtype) && ProductPlan::has_windows(pass, z);
}

/// So few that their time is that of a launch: summed in f64, small networks keep f32's own accuracy.
bool few_products(const ConvShape& z) { return z.flops() <= 2 * double(1 << 20); }

/// The first rule that fits. The rules are reasoned, not yet measured: `cris bench convolutions` times every method.
Method method(ConvPass pass, const ConvShape& z, DType dtype) {
  const Precision p = precision();
  const bool tensor_cores =
      dtype == DType::bf16 || (dtype == DType::f32 && (p == Precision::tf32 || p == Precision::bf16));
  if (forced) {
    const auto serves = *forced == Method::windows ? windows_serve : implicit_serves;
    check(!on_tensor_cores(*forced) || (tensor_cores && serves(pass, z, dtype)),
          "convolution: {} does not serve this shape and precision ({} {} channels to {}, stride {}, {})",
          name(*forced), z.c, name(dtype), z.k, z.stride, name(p));
    return *forced;
  }
  if (p == Precision::exact) return Method::direct;
  if (tensor_cores && windows_serve(pass, z, dtype)) return Method::windows;
  if (tensor_cores && implicit_serves(pass, z, dtype)) return Method::implicit;
  if (dtype == DType::f32 && !tensor_cores && few_products(z)) return Method::direct;
  // One column or a handful of products a sum: the patches would cost more traffic than the sums.
  return std::min(z.k, z.r * z.s * z.c) < 4 ? Method::direct : Method::patches;
}

/// Memory for the time of a convolution. Throws OutOfMemory naming `what`.
Tensor workspace(const char* what, const Shape& shape, DType dtype) {
  try {
    return Tensor(shape, dtype, Device::cuda);
  } catch (const OutOfMemory& e) {
    throw OutOfMemory(e.device, fmt::format("{} of a convolution, {} {}", what, name(dtype), shape), e.asked, e.live,
                      e.limit);
  }
}

bool is_pointwise(const ConvShape& z) { return z.r == 1 && z.s == 1 && z.stride == 1 && z.padding == 0; }

int64_t patch_bytes(const ConvShape& z, DType dtype) { return z.p * z.q * z.r * z.s * z.c * int64_t(size_of(dtype)); }

/// Images whose patches together fit 256 MiB, at least one.
int64_t images_in_group(const ConvShape& z, DType dtype) {
  return std::clamp<int64_t>((int64_t(256) << 20) / std::max<int64_t>(1, patch_bytes(z, dtype)), 1, z.n);
}

/// Calls f(group, first image) for groups of images.
template <class F>
void for_each_group(const ConvShape& z, DType dtype, F f) {
  const int64_t images = images_in_group(z, dtype);
  for (int64_t first = 0; first < z.n; first += images) {
    ConvShape group = z;
    group.n = std::min(images, z.n - first);
    f(group, first);
  }
}

/// The matrix [n p q, r s c] of a group's patches: the image itself for 1x1, else written to memory of its own.
template <class T>
struct PatchMatrix {
  Tensor memory;
  const T* values;
  PatchMatrix(const ConvShape& z, const T* x) : values(x) {
    if (is_pointwise(z)) return;
    memory = workspace("the patches", {z.n * z.p * z.q, z.r * z.s * z.c}, dtype_of<T>);
    gather_patches(z, x, memory.data<T>());
    values = memory.data<T>();
  }
};

/// x, an image or a weight, in 8 channels.
Tensor padded(const Tensor& x) {
  const int64_t channels = x.shape()[-1], rows = x.size() / channels;
  const Tensor y = workspace("a copy in 8 channels", x.shape().with(-1, 8), DType::bf16);
  if (x.dtype() == DType::bf16)
    pad_channels(x.data<BFloat16>(), rows, channels, y.data<BFloat16>());
  else
    pad_channels(x.data<float>(), rows, channels, y.data<BFloat16>());
  return y;
}
/// An image as products read it.
Tensor in_vectors(const Tensor& x) { return is_padded(x.shape()[-1], x.dtype()) ? padded(x) : x; }

/// The weight as a kernel reads it: itself, or a copy as T. A network's weights come rounded to its images' type.
template <class T>
struct WeightFor {
  Tensor memory;
  const T* values;
  explicit WeightFor(const Tensor& w) : memory(w) {
    if (w.dtype() != dtype_of<T>) {
      memory = workspace("the weight", w.shape(), dtype_of<T>);
      cuda_backend().cast(w, memory);
    }
    values = memory.data<T>();
  }
};

template <class T>
void convolve_implicit(const ConvShape& z, const T* x, const T* w, const float* b, Activation activation, T* y) {
  const Tensor partial = workspace("the partial sums", {conv2d_mma_workspace<T>(z)}, DType::f32);
  conv2d_mma(z, x, w, b, activation, partial.data<float>(), y);
}

/// The weight's gradient, cut to the channels of an image that was given more.
template <class T>
void grad_weight_implicit(const ConvShape& z, const Tensor& given_dy, const Tensor& given_x, const Tensor& dw) {
  const Tensor dy = in_vectors(given_dy), x = in_vectors(given_x);
  ConvShape wide = z;
  wide.c = x.shape()[-1];
  const Tensor all = wide.c == z.c ? dw : workspace("the gradient in 8 channels", dw.shape().with(-1, 8), DType::f32);
  const Tensor partial = workspace("the partial sums", {conv2d_grad_weight_mma_workspace<T>(wide)}, DType::f32);
  conv2d_grad_weight_mma(wide, dy.shape()[-1], dy.data<T>(), x.data<T>(), partial.data<float>(), all.data<float>());
  if (wide.c != z.c) cuda_backend().copy_channels({all, 0, z.c}, {dw, 0, z.c});
}

/// A convolution whose windows share their pixels. kTurned: the convolution of dy that is the input's gradient.
template <bool kTurned>
void convolve_windows(const ConvShape& z, const Parts<Tensor>& x, const Tensor& w, const Tensor& b,
                      Activation activation, const Parts<Tensor>& y) {
  const WeightFor<BFloat16> weight(w);
  const Tensor partial = workspace("the partial sums", {conv3x3_workspace(z)}, DType::f32);
  conv3x3<kTurned>(z, image_parts<const BFloat16>(x), weight.values, or_null<float>(b), activation,
                   partial.data<float>(), image_parts<BFloat16>(y));
}

}  // namespace

std::vector<std::string> conv_methods() { return choices<Method>(); }

void force_conv_method(const std::string& name) {
  forced = name.empty() ? std::nullopt : std::optional(parse<Method>(name));
}

std::string conv_method(const ConvShape& z, ConvPass pass, DType dtype) { return name(method(pass, z, dtype)); }

int64_t conv_workspace_bytes(const ConvShape& z, ConvPass pass, DType dtype) {
  constexpr int64_t kFloat = sizeof(float), kDouble = sizeof(double);
  const auto round_up = [](int64_t bytes) { return (bytes + 255) / 256 * 256; };
  switch (method(pass, z, dtype)) {
    case Method::direct:
      if (pass == ConvPass::grad_weight) return conv2d_grad_weight_workspace(z) * kDouble;
      return dtype == DType::bf16 ? z.k * z.r * z.s * z.c * kFloat : 0;  // the weight in f32
    case Method::patches:
      return is_pointwise(z) ? 0 : images_in_group(z, dtype) * patch_bytes(z, dtype);
    case Method::windows:
      return kFloat * (pass == ConvPass::forward      ? conv3x3_workspace(z)
                       : pass == ConvPass::grad_input ? conv3x3_workspace(z.turned())
                                                      : conv3x3_grad_weight_workspace(z));
    case Method::implicit:
      return visit_mma(dtype, [&]<class T>() {
        const int64_t element = int64_t(sizeof(T)), c = padded_channels(z.c, dtype), k = padded_channels(z.k, dtype);
        const int64_t image = c == z.c ? 0 : round_up(z.n * z.h * z.w * c * element);
        const int64_t gradient = k == z.k ? 0 : round_up(z.n * z.p * z.q * k * element);
        ConvShape wide = z;
        if (pass != ConvPass::grad_input) wide.c = c;
        if (pass == ConvPass::forward) {
          const int64_t copy = c == z.c ? 0 : round_up(z.k * z.r * z.s * c * element);
          return image + copy + conv2d_mma_workspace<T>(wide) * kFloat;
        }
        if (pass == ConvPass::grad_weight) {
          const int64_t all = c == z.c ? 0 : round_up(z.k * z.r * z.s * c * kFloat);
          return image + gradient + all + conv2d_grad_weight_mma_workspace<T>(wide) * kFloat;
        }
        if (is_one_product(z, dtype)) return conv2d_tiles_mma_workspace(z) * kFloat;
        wide.k = k;
        return gradient + round_up(z.c * z.r * z.s * k * element) + conv2d_mma_workspace<T>(wide.turned()) * kFloat;
      });
  }
  return 0;
}

void convolve(const ConvShape& z, const Tensor& x, const Tensor& w, const Tensor& b, Activation activation,
              const Tensor& y) {
  const Method by = method(ConvPass::forward, z, x.dtype());
  if (by == Method::windows) return convolve_windows<false>(z, x, w, b, activation, y);
  if (by == Method::implicit && is_padded(z.c, x.dtype())) {
    const Tensor image = padded(x), weight = padded(w);
    ConvShape wide = z;
    wide.c = 8;
    return convolve_implicit(wide, image.data<BFloat16>(), weight.data<BFloat16>(), or_null<float>(b), activation,
                             y.data<BFloat16>());
  }
  if (by == Method::implicit)
    return visit_mma(x.dtype(), [&]<class T>() {
      const WeightFor<T> weight(w);
      convolve_implicit(z, x.data<T>(), weight.values, or_null<float>(b), activation, y.data<T>());
    });
  visit_activation(x.dtype(), "conv2d", [&]<class T>() {
    using W = Wide<T>;
    if (by == Method::direct)
      return conv2d(z, x.data<T>(), WeightFor<W>(w).values, or_null<W>(b), activation, y.data<T>());
    const WeightFor<T> weight(w);
    for_each_group(z, x.dtype(), [&](const ConvShape& group, int64_t first) {
      const PatchMatrix<T> patches(group, x.data<T>() + first * z.h * z.w * z.c);
      T* to = y.data<T>() + first * z.p * z.q * z.k;
      matmul({.m = group.n * z.p * z.q, .n = z.k, .k = z.r * z.s * z.c, .transpose_b = true}, patches.values,
             weight.values, to);
      add_bias(or_null<W>(b), activation, to, group.n * z.p * z.q * z.k, z.k);
    });
  });
}

void convolve_grad_input(const ConvShape& z, const Tensor& dy, const Tensor& w, const Tensor& b, const Tensor& dx) {
  const Method by = method(ConvPass::grad_input, z, dy.dtype());
  if (by == Method::windows) return convolve_windows<true>(z.turned(), dy, w, b, Activation::none, dx);
  if (by == Method::implicit)
    return visit_mma(dy.dtype(), [&]<class T>() {
      if constexpr (std::is_same_v<T, BFloat16>)
        if (is_one_product(z, dy.dtype())) {
          const WeightFor<T> weight(w);
          const Tensor partial = workspace("the partial sums", {conv2d_tiles_mma_workspace(z)}, DType::f32);
          return conv2d_tiles_mma(z, dy.data<T>(), weight.values, or_null<float>(b), partial.data<float>(),
                                  dx.data<T>());
        }
      const Tensor gradient = in_vectors(dy);
      ConvShape wide = z;
      wide.k = gradient.shape()[-1];
      const Tensor turned = workspace("the turned weight", {z.c, z.r, z.s, wide.k}, dy.dtype());
      turn_weight(z, wide.k, WeightFor<T>(w).values, turned.data<T>());
      convolve_implicit<T>(wide.turned(), gradient.data<T>(), turned.data<T>(), or_null<float>(b), Activation::none,
                           dx.data<T>());
    });
  visit_activation(dy.dtype(), "conv2d_grad_input", [&]<class T>() {
    using W = Wide<T>;
    if (by == Method::direct)
      return conv2d_grad_input(z, dy.data<T>(), WeightFor<W>(w).values, or_null<W>(b), dx.data<T>());
    const WeightFor<T> weight(w);
    for_each_group(z, dy.dtype(), [&](const ConvShape& group, int64_t first) {
      const T* from = dy.data<T>() + first * z.p * z.q * z.k;
      T* to = dx.data<T>() + first * z.h * z.w * z.c;
      const int64_t pixels = group.n * z.p * z.q, depth = z.r * z.s * z.c;
      if (is_pointwise(z)) {
        matmul({.m = pixels, .n = depth, .k = z.k}, from, weight.values, to);
        return add_bias(or_null<W>(b), Activation::none, to, pixels * z.c, z.c);
      }
      const Tensor patches = workspace("the patches", {pixels, depth}, dy.dtype());
      matmul({.m = pixels, .n = depth, .k = z.k}, from, weight.values, patches.data<T>());
      sum_patches<T>(group, patches.data<T>(), or_null<W>(b), to);
    });
  });
}

void convolve_grad_weight(const ConvShape& z, const Tensor& dy, const Tensor& x, const Tensor& dw) {
  const Method by = method(ConvPass::grad_weight, z, dy.dtype());
  if (by == Method::windows) return convolve_grad_weight_parts(z, dy, x, dw);
  if (by == Method::implicit) return visit_mma(dy.dtype(), [&]<class T>() { grad_weight_implicit<T>(z, dy, x, dw); });
  visit_activation(dy.dtype(), "conv2d_grad_weight", [&]<class T>() {
    using W = Wide<T>;
    if (by == Method::direct) {
      const Tensor sums = workspace("the partial sums", {conv2d_grad_weight_workspace(z)}, DType::f64);
      return conv2d_grad_weight(z, dy.data<T>(), x.data<T>(), sums.data<double>(), dw.data<W>());
    }
    for_each_group(z, dy.dtype(), [&](const ConvShape& group, int64_t first) {
      const PatchMatrix<T> patches(group, x.data<T>() + first * z.h * z.w * z.c);
      matmul({.m = z.k, .n = z.r * z.s * z.c, .k = group.n * z.p * z.q, .transpose_a = true},
             dy.data<T>() + first * z.p * z.q * z.k, patches.values, dw.data<W>(), first > 0);
    });
  });
}

bool takes_parts(const ConvShape& z, const std::vector<int64_t>& channels, DType dtype) {
  const auto by_windows = [&](ConvPass pass) { return method(pass, z, dtype) == Method::windows; };
  return by_windows(ConvPass::forward) && by_windows(ConvPass::grad_input) && by_windows(ConvPass::grad_weight) &&
         ProductPlan::takes_parts(z, channels);
}
void convolve_parts(const ConvShape& z, const Parts<Tensor>& x, const Tensor& w, const Tensor& b, Activation activation,
                    const Tensor& y) {
  convolve_windows<false>(z, x, w, b, activation, y);
}
void convolve_grad_input_parts(const ConvShape& z, const Tensor& dy, const Tensor& w, const Parts<Tensor>& dx) {
  convolve_windows<true>(z.turned(), dy, w, {}, Activation::none, dx);
}
void convolve_grad_weight_parts(const ConvShape& z, const Tensor& dy, const Parts<Tensor>& x, const Tensor& dw) {
  const Tensor partial = workspace("the partial sums", {conv3x3_grad_weight_workspace(z)}, DType::f32);
  conv3x3_grad_weight(z, dy.data<BFloat16>(), image_parts<const BFloat16>(x), partial.data<float>(), dw.data<float>());
}

}  // namespace tensor::cuda
