/// The CUDA kernels against the f64 reference, on a device or on the emulator.
#include <doctest/doctest.h>

#include <cstdlib>
#include <limits>

#include "tests/tensor/kernel_cases.h"

namespace {

using namespace kernel_cases;

void poison() { const Tensor t = full({1 << 16}, std::numeric_limits<double>::quiet_NaN(), DType::f32, Device::cuda); }

/// Every case agrees with the reference and gives the same bits twice; on the emulator the second run takes the threads
/// in descending order, so a kernel that lacks a barrier differs.
void check_cases(const std::vector<Case>& cases, double tolerance = 2e-6) {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Inputs in = make_inputs(c, Device::cuda);
    const Tensors want = c.run(in.f64);
    unsetenv("CRIS_EMULATOR_REVERSE");
    poison();
    const Tensors got = c.run(in.f32);
    setenv("CRIS_EMULATOR_REVERSE", "1", 1);
    poison();
    const Tensors again = c.run(in.f32);
    unsetenv("CRIS_EMULATOR_REVERSE");
    for (size_t i = 0; i < want.size(); ++i) {
      CAPTURE(i);
      CHECK(got[i].shape() == want[i].shape());
      CHECK(relative_error(got[i], want[i]) < tolerance);
      CHECK(same_bits(got[i], again[i]));
    }
  }
}

struct WithPrecision {
  Precision before = precision();
  explicit WithPrecision(Precision p) { set_precision(p); }
  ~WithPrecision() { set_precision(before); }
};

TEST_CASE("cuda kernels agree with the reference") {
  const std::vector<int64_t> channels = {1, 3, 17, 64, 65};
  SUBCASE("element-wise") { check_cases(elementwise({{1}, {5, 3}, {2, 31, 29, 3}})); }
  SUBCASE("random") { check_cases(random({1, 5, 1001})); }
  SUBCASE("sums and norms") { check_cases(sums_and_norms(channels)); }
  SUBCASE("pooling") { check_cases(pooling({1, 5})); }
  SUBCASE("resizing") { check_cases(resizing({1, 5})); }
  SUBCASE("classes") { check_cases(classes(channels)); }
  SUBCASE("updates") { check_cases(updates({1, 5003})); }
  SUBCASE("Gaussian filters") { check_cases(gaussian_filters()); }
}

TEST_CASE("cuda products agree with the reference in every precision") {
  SUBCASE("f32: as its rules choose") { check_cases(products()); }
  SUBCASE("f32: patches and cuBLAS") {
    backend(Device::cuda).force_conv_method("patches");
    check_cases(products());
    backend(Device::cuda).force_conv_method("");
  }
  SUBCASE("exact: direct sums") {
    const WithPrecision p(Precision::exact);
    check_cases(products());
  }
  SUBCASE("tf32: implicit GEMM") {
    const WithPrecision p(Precision::tf32);
    check_cases(products(), 1e-3);
  }
  SUBCASE("bf16: implicit GEMM") {
    const WithPrecision p(Precision::bf16);
    check_cases(products(), 1e-2);
  }
}

TEST_CASE("cuda conversions agree with the reference") {
  const Tensor x = uniform({.seed = 2}, {1001}, -300, 300, DType::f32, Device::reference);
  for (const DType t : {DType::f64, DType::i32, DType::u8}) CHECK(same_bits(cast(x.to(Device::cuda), t), cast(x, t)));
  CHECK(same_bits(full({1001}, 3, DType::i32, Device::cuda), full({1001}, 3, DType::i32, Device::reference)));
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
