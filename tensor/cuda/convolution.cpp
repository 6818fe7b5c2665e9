/// Which kernel serves a convolution on the GPU.
#include "tensor/cuda/convolution.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "tensor/allocator.h"
#include "tensor/cuda/gemm.h"
#include "tensor/cuda/kernels.h"
#include "tensor/cuda/runtime.h"

namespace tensor::cuda {
namespace {

enum class Method { direct, patches, implicit };
constexpr std::pair<Method, const char*> kMethods[] = {
    {Method::direct, "direct"}, {Method::patches, "patches"}, {Method::implicit, "implicit"}};
std::optional<Method> forced;

/// The product reads four channels at once, with 32-bit offsets.
bool implicit_serves(ConvPass pass, const ConvShape& z) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  const bool small = z.n * z.h * z.w * z.c <= most && z.n * z.p * z.q * z.k <= most && z.k * z.r * z.s * z.c <= most;
  // With a stride most taps of an input pixel meet no window: the patches' product skips them, the implicit one cannot.
  const bool dense = pass != ConvPass::grad_input || (z.stride == 1 && z.r == z.s && z.padding < z.r);
  return device().major >= 8 && z.c % 4 == 0 && z.k % 4 == 0 && small && dense;
}

/// So few that their time is that of a launch: summed in f64, small networks keep f32's own accuracy.
bool few_products(const ConvShape& z) { return z.flops() <= 2 * double(1 << 20); }

/// The first rule that fits. The rules are reasoned, not yet measured: `cris bench convolutions` times every method.
Method method(ConvPass pass, const ConvShape& z, DType dtype) {
  const Precision p = precision();
  const bool tensor_cores = dtype == DType::f32 && (p == Precision::tf32 || p == Precision::bf16);
  if (forced) {
    check(*forced != Method::implicit || (tensor_cores && implicit_serves(pass, z)),
          "convolution: implicit GEMM does not serve this shape and precision ({} channels to {}, stride {}, {})", z.c,
          z.k, z.stride, name(p));
    return *forced;
  }
  if (p == Precision::exact) return Method::direct;
  if (tensor_cores && implicit_serves(pass, z)) return Method::implicit;
  if (dtype == DType::f32 && !tensor_cores && few_products(z)) return Method::direct;
  // One column or a handful of products a sum: the patches would cost more traffic than the sums.
  return std::min(z.k, z.r * z.s * z.c) < 4 ? Method::direct : Method::patches;
}

MmaType mma_type() { return precision() == Precision::bf16 ? MmaType::bf16 : MmaType::tf32; }

template <class T>
const T* or_null(const Tensor& t) {
  return t.defined() ? t.data<T>() : nullptr;
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

/// The convolution of dy, by the turned weight, that is the input's gradient.
ConvShape turned_shape(const ConvShape& z) {
  ConvShape back = z;
  std::swap(back.h, back.p), std::swap(back.w, back.q), std::swap(back.c, back.k);
  back.padding = z.r - 1 - z.padding;
  return back;
}

void convolve_implicit(const ConvShape& z, const float* x, const float* w, const float* b, Activation activation,
                       float* y) {
  const Tensor partial = workspace("the partial sums", {conv2d_mma_workspace(z)}, DType::f32);
  conv2d_mma(mma_type(), z, x, w, b, activation, partial.data<float>(), y);
}

}  // namespace

std::vector<std::string> conv_methods() {
  std::vector<std::string> names;
  for (const auto& [method, name] : kMethods) names.push_back(name);
  return names;
}

void force_conv_method(const std::string& name) {
  forced.reset();
  for (const auto& [method, known] : kMethods)
    if (name == known) forced = method;
  check(forced || name.empty(), "convolution: there is no method \"{}\"", name);
}

int64_t conv_workspace_bytes(const ConvShape& z, ConvPass pass, DType dtype) {
  constexpr int64_t kFloat = sizeof(float), kDouble = sizeof(double);
  const auto round_up = [](int64_t bytes) { return (bytes + 255) / 256 * 256; };
  switch (method(pass, z, dtype)) {
    case Method::direct:
      return pass == ConvPass::grad_weight ? conv2d_grad_weight_workspace(z) * kDouble : 0;
    case Method::patches:
      return is_pointwise(z) ? 0 : images_in_group(z, dtype) * patch_bytes(z, dtype);
    case Method::implicit:
      if (pass == ConvPass::forward) return conv2d_mma_workspace(z) * kFloat;
      if (pass == ConvPass::grad_weight) return conv2d_grad_weight_mma_workspace(z) * kFloat;
      return round_up(z.k * z.r * z.s * z.c * kFloat) + conv2d_mma_workspace(turned_shape(z)) * kFloat;
  }
  return 0;
}

void convolve(const ConvShape& z, const Tensor& x, const Tensor& w, const Tensor& b, Activation activation,
              const Tensor& y) {
  const Method by = method(ConvPass::forward, z, x.dtype());
  if (by == Method::implicit)
    return convolve_implicit(z, x.data<float>(), w.data<float>(), or_null<float>(b), activation, y.data<float>());
  visit_float(x.dtype(), "conv2d", [&]<class T>() {
    if (by == Method::direct) return conv2d(z, x.data<T>(), w.data<T>(), or_null<T>(b), activation, y.data<T>());
    for_each_group(z, x.dtype(), [&](const ConvShape& group, int64_t first) {
      const PatchMatrix<T> patches(group, x.data<T>() + first * z.h * z.w * z.c);
      T* to = y.data<T>() + first * z.p * z.q * z.k;
      matmul<T>({.m = group.n * z.p * z.q, .n = z.k, .k = z.r * z.s * z.c, .transpose_b = true}, patches.values,
                w.data<T>(), to);
      add_bias(or_null<T>(b), activation, to, group.n * z.p * z.q * z.k, z.k);
    });
  });
}

void convolve_grad_input(const ConvShape& z, const Tensor& dy, const Tensor& w, const Tensor& b, const Tensor& dx) {
  const Method by = method(ConvPass::grad_input, z, dy.dtype());
  if (by == Method::implicit) {
    const Tensor turned = workspace("the turned weight", w.shape(), DType::f32);
    turn_weight(z, w.data<float>(), turned.data<float>());
    return convolve_implicit(turned_shape(z), dy.data<float>(), turned.data<float>(), or_null<float>(b),
                             Activation::none, dx.data<float>());
  }
  visit_float(dy.dtype(), "conv2d_grad_input", [&]<class T>() {
    if (by == Method::direct) return conv2d_grad_input(z, dy.data<T>(), w.data<T>(), or_null<T>(b), dx.data<T>());
    for_each_group(z, dy.dtype(), [&](const ConvShape& group, int64_t first) {
      const T* from = dy.data<T>() + first * z.p * z.q * z.k;
      T* to = dx.data<T>() + first * z.h * z.w * z.c;
      const int64_t pixels = group.n * z.p * z.q, depth = z.r * z.s * z.c;
      if (is_pointwise(z)) {
        matmul<T>({.m = pixels, .n = depth, .k = z.k}, from, w.data<T>(), to);
        return add_bias(or_null<T>(b), Activation::none, to, pixels * z.c, z.c);
      }
      const Tensor patches = workspace("the patches", {pixels, depth}, dy.dtype());
      matmul<T>({.m = pixels, .n = depth, .k = z.k}, from, w.data<T>(), patches.data<T>());
      sum_patches<T>(group, patches.data<T>(), or_null<T>(b), to);
    });
  });
}

void convolve_grad_weight(const ConvShape& z, const Tensor& dy, const Tensor& x, const Tensor& dw) {
  const Method by = method(ConvPass::grad_weight, z, dy.dtype());
  if (by == Method::implicit) {
    const Tensor partial = workspace("the partial sums", {conv2d_grad_weight_mma_workspace(z)}, DType::f32);
    return conv2d_grad_weight_mma(mma_type(), z, dy.data<float>(), x.data<float>(), partial.data<float>(),
                                  dw.data<float>());
  }
  visit_float(dy.dtype(), "conv2d_grad_weight", [&]<class T>() {
    if (by == Method::direct) {
      const Tensor sums = workspace("the partial sums", {conv2d_grad_weight_workspace(z)}, DType::f64);
      return conv2d_grad_weight(z, dy.data<T>(), x.data<T>(), sums.data<double>(), dw.data<T>());
    }
    for_each_group(z, dy.dtype(), [&](const ConvShape& group, int64_t first) {
      const PatchMatrix<T> patches(group, x.data<T>() + first * z.h * z.w * z.c);
      matmul<T>({.m = z.k, .n = z.r * z.s * z.c, .k = group.n * z.p * z.q, .transpose_a = true},
                dy.data<T>() + first * z.p * z.q * z.k, patches.values, dw.data<T>(), first > 0);
    });
  });
}

}  // namespace tensor::cuda
