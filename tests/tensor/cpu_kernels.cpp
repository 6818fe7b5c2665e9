/// The fast CPU kernels against the f64 reference on awkward shapes, and the same bits for any number of threads.
#include <doctest/doctest.h>

#include <limits>

#include "kernel_cases.h"
#include "tensor/machine/threads.h"

namespace {

using namespace kernel_cases;

/// Fills freed memory with NaN, so that an element that a kernel forgets does not happen to hold the right value.
void poison() { const Tensor t = full({1 << 20}, std::numeric_limits<double>::quiet_NaN(), DType::f32, Device::cpu); }

void check_cases(const std::vector<Case>& cases) {
  const int before = threads();
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Inputs in = make_inputs(c, Device::cpu);
    const Tensors want = c.run(in.f64);
    set_threads(1);
    poison();
    const Tensors got = c.run(in.given);
    for (size_t i = 0; i < want.size(); ++i) {
      CAPTURE(i);
      CHECK(got[i].shape() == want[i].shape());
      CHECK(relative_error(got[i], want[i]) < 2e-6);
    }
    for (const int n : {2, 3}) {
      set_threads(n);
      poison();
      const Tensors again = c.run(in.given);
      for (size_t i = 0; i < got.size(); ++i) CHECK(same_bits(got[i], again[i]));
    }
  }
  set_threads(before);
}

TEST_CASE("cpu kernels agree with the reference for any number of threads") {
  SUBCASE("element-wise") { check_cases(elementwise({{1}, {5, 3}, {2, 131, 129, 3}, {70001}})); }
  SUBCASE("random") { check_cases(random({1, 5, 127, 128, 129, 40003})); }
  SUBCASE("sums and norms") { check_cases(sums_and_norms(kChannels)); }
  SUBCASE("pooling") { check_cases(pooling(kChannels)); }
  SUBCASE("resizing") { check_cases(resizing(kChannels)); }
  SUBCASE("classes") { check_cases(classes(kChannels)); }
  SUBCASE("updates") { check_cases(updates({1, 17, 50003})); }
}

TEST_CASE("cpu kernels may work in place where the contract says so") {
  const Tensor x = uniform({.seed = 3}, {3, 40000}, -1, 1, DType::f32, Device::cpu);
  const Tensor other = uniform({.seed = 4}, {3, 40000}, -1, 1, DType::f32, Device::cpu);
  Backend& cpu = backend(Device::cpu);
  const Tensor y = x.clone(), left = x.clone(), right = other.clone(), dropped = x.clone(), soft = x.clone();
  cpu.map(Sigmoid{}, y, y);
  CHECK(same_bits(y, map(Sigmoid{}, x)));
  cpu.zip(Subtract{}, left, other, left);
  CHECK(same_bits(left, zip(Subtract{}, x, other)));
  cpu.zip(Subtract{}, x, right, right);
  CHECK(same_bits(right, left));
  cpu.dropout({.seed = 5}, 0.3, dropped, dropped);
  CHECK(same_bits(dropped, dropout({.seed = 5}, 0.3, x)));
  cpu.softmax(soft, soft);
  CHECK(same_bits(soft, softmax(x)));
}

TEST_CASE("cpu random kernels give the bits of the reference") {
  const RandomKey key{.seed = 0x123456789abcull, .stream = 4, .step = 9};
  for (const int64_t n : {1, 5, 127, 128, 129, 40003})
    CHECK(same_bits(uniform(key, {n}, 0, 1, DType::f32, Device::cpu),
                    uniform(key, {n}, 0, 1, DType::f32, Device::reference)));
}

TEST_CASE("cpu statistics keep their accuracy where the mean is large against the deviation") {
  const Tensor noise = uniform({.seed = 11}, {4, 64, 64, 3}, -1, 1, DType::f32, Device::reference);
  const Tensor x = map(Affine{.scale = 0.5, .shift = 300}, noise);
  const Statistics want = batch_norm_statistics(cast(x, DType::f64)), got = batch_norm_statistics(x.to(Device::cpu));
  CHECK(relative_error(got.mean, want.mean) < 1e-7);
  CHECK(relative_error(got.variance, want.variance) < 1e-5);
}

TEST_CASE("cpu pooling takes the first of equals and lets NaN win") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const int64_t k : {2, 3}) {
    std::vector<float> values(size_t(k * 6 * 17), 1.0f);
    for (size_t i = 0; i < values.size(); i += 5) values[i] = i % 3 ? nan : 2.0f;
    const Tensor x = Tensor::from(values, {1, k, 6, 17}, Device::reference);
    const Pooled want = max_pool(x, k, k), got = max_pool(x.to(Device::cpu), k, k);
    CHECK(same_bits(got.y, want.y));
    CHECK(same_bits(got.index, want.index));
  }
}

TEST_CASE("cpu conversions and fills agree with the reference") {
  const Tensor bytes = Tensor::from(std::vector<uint8_t>{0, 1, 127, 128, 255}, {5}, Device::cpu);
  CHECK(same_bits(cast(bytes, DType::f32), cast(bytes.to(Device::reference), DType::f32)));
  const Tensor x = uniform({.seed = 2}, {70001}, -300, 300, DType::f32, Device::cpu);
  for (const DType t : {DType::f64, DType::i32, DType::u8})
    CHECK(same_bits(cast(x, t), cast(x.to(Device::reference), t)));
  CHECK(same_bits(cast(cast(x, DType::f64), DType::f32), x));
  CHECK(same_bits(full({70001}, 0.1, DType::f32, Device::cpu), full({70001}, 0.1, DType::f32, Device::reference)));
}

}  // namespace
