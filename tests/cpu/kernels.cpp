/// The fast CPU kernels: the whole table of kernel cases, and what it cannot say.
#include <limits>

#include "tensor/precision.h"
#include "tests/kernels/kernel_cases.h"

namespace {

using namespace kernel_cases;

TEST_CASE("cpu: element-wise kernels") { check(elementwise(), Device::cpu); }
TEST_CASE("cpu: fills and casts") { check(fills_and_casts(), Device::cpu); }
TEST_CASE("cpu: dropout") { check(dropouts(), Device::cpu); }
TEST_CASE("cpu: sums, statistics and batch norm") { check(sums_and_norms(), Device::cpu); }
TEST_CASE("cpu: softmax and copies of channels") { check(classes(), Device::cpu); }
TEST_CASE("cpu: updates") { check(updates(), Device::cpu); }
TEST_CASE("cpu: matrix products") { check(products(), Device::cpu); }
TEST_CASE("cpu: pooling") { check(pooling(), Device::cpu); }
TEST_CASE("cpu: resizing") { check(resizing(), Device::cpu); }
TEST_CASE("cpu: Gaussian filters") { check(gaussian_filters(), Device::cpu); }

TEST_CASE("cpu: convolutions, Winograd allowed") { check(convolutions(), Device::cpu); }
TEST_CASE("cpu: convolutions in precision exact") {
  set_precision(Precision::exact);
  check(convolutions(), Device::cpu);
  set_precision(Precision::f32);
}

TEST_CASE("cpu: statistics keep their accuracy where the mean is large against the deviation") {
  const Tensor noise = uniform({.seed = 11}, {4, 64, 64, 3}, -1, 1, DType::f32, Device::reference);
  const Tensor x = map(Affine{.scale = 0.5, .shift = 300}, noise);
  const Statistics want = batch_norm_statistics(cast(x, DType::f64)), got = batch_norm_statistics(x.to(Device::cpu));
  CHECK(relative_error(got.mean, want.mean) < 1e-7);
  CHECK(relative_error(got.variance, want.variance) < 1e-5);
}

TEST_CASE("cpu: max_pool takes the first of equals and lets NaN and infinities through") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
  for (const int64_t k : {2, 3})
    for (const int64_t c : {1, 8, 19}) {
      std::vector<float> values(size_t(k * 6 * c), 1.0f);
      for (size_t i = 0; i < values.size(); i += 5) values[i] = i % 3 == 0 ? kNan : i % 3 == 1 ? kInf : 2.0f;
      for (size_t i = 0; i < values.size(); i += 7) values[i] = -kInf;
      const Tensor x = Tensor::from(values, {1, k, 6, c}, Device::reference);
      const Pooled want = max_pool(x, k, k), got = max_pool(x.to(Device::cpu), k, k);
      CHECK(same_bits(got.y, want.y));
      CHECK(same_bits(got.index, want.index));
    }
}

}  // namespace
