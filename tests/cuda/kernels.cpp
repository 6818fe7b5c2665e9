/// The CUDA kernels on a device or on the emulator: the table of kernel cases, and what it cannot say.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "tensor/conv_parts.h"
#include "tensor/cuda/convolution.h"
#include "tensor/cuda/product_plan.h"
#include "tensor/cuda/runtime.h"
#include "tensor/precision.h"
#include "tensor/relative_error.h"
#include "tests/kernels/kernel_cases.h"

namespace {

using namespace kernel_cases;

struct WithPrecision {
  Precision before = precision();
  explicit WithPrecision(Precision p) { set_precision(p); }
  ~WithPrecision() { set_precision(before); }
};

const std::vector<int64_t> kFew = {1, 3, 17, 64, 65}, kFewest = {1, 5, 8};

void check_on_cuda(const std::vector<Case>& cases, std::optional<double> tolerance = {}) {
  check(quick(cases), Device::cuda, DType::f32, tolerance);
}

TEST_CASE("cuda: element-wise kernels") { check_on_cuda(elementwise()); }
TEST_CASE("cuda: fills and casts") { check_on_cuda(fills_and_casts()); }
TEST_CASE("cuda: dropout") { check_on_cuda(dropouts()); }
TEST_CASE("cuda: sums, statistics and batch norm") { check_on_cuda(sums_and_norms(kFew)); }
TEST_CASE("cuda: softmax and copies of channels") { check_on_cuda(classes()); }
TEST_CASE("cuda: updates") { check_on_cuda(updates()); }
TEST_CASE("cuda: matrix products") { check_on_cuda(products()); }
TEST_CASE("cuda: pooling") { check_on_cuda(pooling(kFewest)); }
TEST_CASE("cuda: resizing") { check_on_cuda(resizing(kFewest)); }
TEST_CASE("cuda: Gaussian filters") { check_on_cuda(gaussian_filters()); }

TEST_CASE("cuda: convolutions as its rules choose") { check_on_cuda(convolutions()); }
TEST_CASE("cuda: convolutions by patches and cuBLAS") {
  cuda::force_conv_method("patches");
  check_on_cuda(convolutions());
  cuda::force_conv_method("");
}
TEST_CASE("cuda: convolutions in precision exact, direct sums") {
  const WithPrecision p(Precision::exact);
  check_on_cuda(convolutions());
}
TEST_CASE("cuda: convolutions and products in tf32, implicit GEMM") {
  const WithPrecision p(Precision::tf32);
  check_on_cuda(convolutions(), 1e-3);
  check_on_cuda(products(), 1e-3);
}
TEST_CASE("cuda: convolutions of f32 where the precision is bf16, as in tf32") {
  const WithPrecision p(Precision::bf16);
  check_on_cuda(convolutions(), 1e-3);
}

/// Rounded once, a result of bf16 is the exact one rounded, but for values that lie halfway.
void check_bf16(const std::vector<Case>& cases, double tolerance = 5e-4) {
  check(quick(cases), Device::cuda, DType::bf16, tolerance);
}

TEST_CASE("cuda: element-wise kernels on images of bf16") {
  check_bf16(elementwise());
  check_bf16(dropouts());
  check_bf16(only("copy_channels", classes()), 0);
}
TEST_CASE("cuda: sums, statistics and batch norm of images of bf16") { check_bf16(sums_and_norms(kFew)); }
TEST_CASE("cuda: pooling and resizing of images of bf16") {
  check_bf16(pooling(kFewest));
  check_bf16(resizing(kFewest));
}
TEST_CASE("cuda: convolutions of images of bf16 by every method") {
  for (const char* method : {"", "direct", "patches"}) {
    if (cuda::device().major < 8 && *method != 'd') continue;  // cuBLAS has no products of bf16 there
    cuda::force_conv_method(method);
    check_bf16(convolutions(), 1e-2);  // tensor cores take weights as bf16
  }
  cuda::force_conv_method("");
}

/// A 3x3 convolution, in blocks of `rows` pixels, against f32 on the CPU.
struct Windows {
  int64_t channels, lines, columns, filters;
  int64_t images = 1, padding = 1;
  int rows = 128;
};
void check_windows(const Windows& c, bool gradients) {
  CAPTURE(c.channels);
  CAPTURE(c.filters);
  const auto draw = [](uint32_t stream, const Shape& shape) {
    return uniform({1, stream, 0}, shape, -1, 1, DType::f32, Device::cpu);
  };
  const auto there = [](const Tensor& v) { return cast(v.to(Device::cuda), DType::bf16); };
  const auto here = [](const Tensor& v) { return cast(v, DType::f32).to(Device::cpu); };
  const Tensor x = there(draw(1, {c.images, c.lines, c.columns, c.channels}));
  const Tensor w = draw(2, {c.filters, 3, 3, c.channels}), b = draw(3, {c.filters});
  const int64_t p = c.lines + 2 * c.padding - 2, q = c.columns + 2 * c.padding - 2;
  const ConvShape z{c.images, c.lines, c.columns, c.channels, c.filters, 3, 3, p, q, 1, c.padding};
  const bool shared = cuda::conv_method(z, ConvPass::forward, DType::bf16) == "windows";
  CHECK(shared == (c.channels % 32 == 0));
  const cuda::ProductPlan patches(c.images * p * q, c.filters, 9 * c.channels, 32, true);
  CHECK((shared ? cuda::ProductPlan::of_windows(z) : patches).rows == c.rows);
  const ConvOptions o{.padding = c.padding};
  CHECK(relative_error(conv2d(x, w.to(Device::cuda), b.to(Device::cuda), o).to_vector(),
                       conv2d(here(x), w, b, o).to_vector()) < 1e-2);
  if (!gradients) return;
  const Tensor dy = there(draw(4, {c.images, p, q, c.filters}));
  CHECK(relative_error(conv2d_grad_input(dy, w.to(Device::cuda), x.shape(), o).to_vector(),
                       conv2d_grad_input(here(dy), w, x.shape(), o).to_vector()) < 1e-2);
  CHECK(relative_error(conv2d_grad_weight(dy, x, w.shape(), o).to_vector(),
                       conv2d_grad_weight(here(dy), here(x), w.shape(), o).to_vector()) < 1e-5);
}

TEST_CASE("cuda: convolutions of images so large that blocks are tall") {
  const WithPrecision tensor_cores(Precision::bf16);
  if (cuda::device().major < 8) return;
  // Channels that fill no pack of 32, then some whose windows share their pixels.
  for (const Windows& c : {Windows{8, 176, 176, 72}, {8, 260, 260, 40}, {32, 240, 128, 72}, {32, 272, 256, 40}}) {
    Windows tall = c;
    tall.rows = 256;
    check_windows(tall, false);
  }
}

TEST_CASE("cuda: 3x3 windows that share their pixels") {
  const WithPrecision tensor_cores(Precision::bf16);
  if (cuda::device().major < 8) return;
  // Blocks within the image and over its edge; of 32, 64 and 128 filters; of one slice of the sum and of more.
  check_windows({32, 8, 16, 9}, true);
  check_windows({96, 22, 30, 40, 2}, true);
  check_windows({64, 16, 32, 96, 2, 0}, true);
  check_windows({64, 39, 63, 160, 2}, true);
}

TEST_CASE("cuda: an image in parts is convolved as the image that they make") {
  const WithPrecision tensor_cores(Precision::bf16);
  if (cuda::device().major < 8) return;
  const Backend& cuda = backend(Device::cuda);
  const auto draw = [](uint32_t stream, const Shape& shape) {
    return cast(uniform({2, stream, 0}, shape, -1, 1, DType::f32, Device::cuda), DType::bf16);
  };
  const std::vector<Tensor> parts{draw(1, {1, 16, 32, 64}), draw(2, {1, 16, 32, 32}), draw(3, {1, 16, 32, 32})};
  const Tensor x = concat(parts), dy = draw(4, {1, 16, 32, 64}), few = draw(5, {1, 16, 32, 32});
  const Tensor w = cast(draw(6, {64, 3, 3, 128}), DType::f32), v = cast(draw(7, {32, 3, 3, 128}), DType::f32);
  const ConvOptions o{.padding = 1};
  const ConvShape z = conv_shape(x.shape(), w.shape(), o), of_few = conv_shape(x.shape(), v.shape(), o);

  Tensor y(dy.shape(), DType::bf16, Device::cuda), dw(w.shape(), DType::f32, Device::cuda);
  cuda.conv2d_parts(z, Parts(parts), w, {}, Activation::none, y);
  CHECK(same_bits(y, conv2d(x, w, {}, o)));
  cuda.grad_weight_parts(z, dy, Parts(parts), dw);
  CHECK(same_bits(dw, conv2d_grad_weight(dy, x, w.shape(), o)));
  std::vector<Tensor> dx;
  for (const Tensor& part : parts) dx.emplace_back(part.shape(), DType::bf16, Device::cuda);
  cuda.grad_input_parts(of_few, few, v, Parts(dx));
  CHECK(same_bits(concat(dx), conv2d_grad_input(few, v, x.shape(), o)));

  const auto takes = [&](int64_t side, const std::vector<int64_t>& channels) {
    const int64_t c = std::accumulate(channels.begin(), channels.end(), int64_t(0));
    return cuda.takes_parts({1, side, side, c, 64, 3, 3, side, side, 1, 1}, channels, DType::bf16);
  };
  CHECK(takes(256, {64, 64}));
  CHECK(!takes(256, {64, 24}));
  CHECK(!takes(256, {32, 32, 32, 32, 32, 32, 32}));
  CHECK(!takes(16, {64, 64}));  // the gradient is summed in slices
}

TEST_CASE("cuda: many tensors are cast as one by one") {
  if (cuda::device().major < 8) return;
  std::vector<Tensor> x;
  for (int64_t i = 0; i < 60; ++i)
    x.push_back(uniform({3, uint32_t(i), 0}, {1 + 171 * i}, -1, 1, DType::f32, Device::cuda));
  const std::vector<Tensor> y = cast_all(x, DType::bf16), back = cast_all(y, DType::f32);
  for (size_t i = 0; i < x.size(); ++i) {
    CHECK(same_bits(y[i], cast(x[i], DType::bf16)));
    CHECK(same_bits(back[i], cast(y[i], DType::f32)));
  }
}

TEST_CASE("cuda: a training pass moves running values as element-wise kernels do") {
  const RunningUpdate update{0.1, 35.0 / 34, 1e-5};
  std::vector<std::vector<double>> results;
  for (const Device device : {Device::cuda, Device::reference}) {
    const Tensor x = uniform({4, 1, 0}, {5, 7, 11}, 1, 3, DType::f32, Device::reference).to(device);
    const Tensor mean = full({11}, 0.25, DType::f32, device), variance = full({11}, 2, DType::f32, device);
    const Standardization s = batch_norm_update(update, x, mean, variance);
    for (const Tensor& r : {s.mean, s.rstd, mean, variance}) results.push_back(r.to_vector());
  }
  for (size_t i = 0; i < 4; ++i) CHECK(relative_error(results[i], results[4 + i]) < 1e-6);
}

TEST_CASE("cuda: a pixel that is not finite reaches its own windows alone") {
  std::vector<float> values(8 * 8 * 8, 1);
  values[(3 * 8 + 4) * 8] = std::numeric_limits<float>::quiet_NaN();
  const Tensor image = Tensor::from(values, {1, 8, 8, 8}, Device::cuda);
  // 72 taps: the last tile of the sum is not full.
  const Tensor weight = full({8, 3, 3, 8}, 1, DType::f32, Device::cuda);
  const WithPrecision tensor_cores(Precision::tf32);
  for (const DType t : {DType::f32, DType::bf16}) {
    if (t == DType::bf16 && cuda::device().major < 8) continue;
    const std::vector<double> y = conv2d(cast(image, t), weight, {}, {.padding = 1}).to_vector();
    CHECK(std::count_if(y.begin(), y.end(), [](double v) { return std::isnan(v); }) == 3 * 3 * 8);
  }
}

TEST_CASE("cuda: bf16 is f32 rounded to nearest, ties to even, and comes back as it is") {
  // 1 + 2^-8 and 1 + 3 2^-8 lie halfway between neighbours.
  const std::vector<float> values = {0,           -0.0f,
                                     1,           1 + 0x1p-8f,
                                     1 + 0x3p-8f, 1 + 0x1.02p-8f,
                                     -3.3f,       0x1.fffp127f,
                                     1e-40f,      std::numeric_limits<float>::infinity()};
  const Tensor x = Tensor::from(values, {int64_t(values.size())}, Device::cuda), y = cast(x, DType::bf16);
  CHECK(y.bytes() == 2 * int64_t(values.size()));
  const std::vector<double> got = y.to_vector();
  CHECK(got[2] == 1);
  CHECK(got[3] == 1);
  CHECK(got[4] == 1 + 0x1p-6);
  CHECK(got[5] == 1 + 0x1p-7);
  CHECK(got[6] == -3.296875);
  CHECK(std::isinf(got[7]));
  CHECK(std::isinf(got[9]));
  CHECK(got[8] == 0x1p-133);  // the smallest there is
  for (const DType t : {DType::f32, DType::f64}) {
    CHECK(cast(y, t).to_vector() == got);
    CHECK(same_bits(cast(cast(y, t), DType::bf16), y));
  }
  CHECK(std::isnan(cast(full({1}, std::nan(""), DType::f32, Device::cuda), DType::bf16).item()));
  CHECK(full({3}, 0.1, DType::bf16, Device::cuda).to_vector() == std::vector<double>(3, 0.10009765625));
}

TEST_CASE("cuda keeps activations as bf16 in that precision alone, and from capability 8.0 on") {
  const Backend& cuda = backend(Device::cuda);
  for (const Precision p : {Precision::exact, Precision::f32, Precision::tf32}) {
    const WithPrecision with(p);
    CHECK(cuda.activation_type(DType::f32) == DType::f32);
  }
  const WithPrecision with(Precision::bf16);
  CHECK(cuda.activation_type(DType::f32) == (cuda::device().major >= 8 ? DType::bf16 : DType::f32));
  CHECK(cuda.activation_type(DType::f64) == DType::f64);
  CHECK(backend(Device::cpu).activation_type(DType::f32) == DType::f32);
}

TEST_CASE("cuda copies from the host: large and many, the source changing at once") {
  std::vector<float> values(5 << 20);  // more than the two staging buffers together
  std::vector<Tensor> copies;
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < values.size(); ++i) values[i] = float(i % 8191) + float(round);
    copies.push_back(Tensor::from(values, {int64_t(values.size())}, Device::cuda));
  }
  for (int round = 0; round < 3; ++round) {
    const std::vector<double> got = copies[size_t(round)].to_vector();
    size_t wrong = 0;
    for (size_t i = 0; i < got.size(); ++i) wrong += got[i] != double(i % 8191) + round;
    CHECK(wrong == 0);
  }
}

}  // namespace
