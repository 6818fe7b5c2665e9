/// The CUDA kernels on a device or on the emulator: the table of kernel cases, and what it cannot say.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

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

TEST_CASE("cuda: convolutions of images so large that blocks are tall") {
  const WithPrecision tensor_cores(Precision::bf16);
  if (cuda::device().major < 8) return;
  struct Large {
    int64_t side, filters;
  };
  for (const Large& large : {Large{176, 72}, Large{260, 40}}) {
    const int64_t side = large.side, filters = large.filters;
    CAPTURE(filters);
    CHECK(cuda::ProductPlan(side * side, filters, 72, 32, true).rows == 256);
    const Tensor x = cast(uniform({1, 1, 0}, {1, side, side, 8}, -1, 1, DType::f32, Device::cuda), DType::bf16);
    const Tensor w = uniform({1, 2, 0}, {filters, 3, 3, 8}, -1, 1, DType::f32, Device::cpu);
    const Tensor b = uniform({1, 3, 0}, {filters}, -1, 1, DType::f32, Device::cpu);
    const Tensor got = conv2d(x, w.to(Device::cuda), b.to(Device::cuda), {.padding = 1});
    CHECK(relative_error(got.to_vector(),
                         conv2d(cast(x, DType::f32).to(Device::cpu), w, b, {.padding = 1}).to_vector()) < 1e-2);
  }
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
