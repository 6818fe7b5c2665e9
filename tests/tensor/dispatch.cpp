/// Where `run` takes a kernel: to the device of its tensors, f64 from the cpu to the reference, nowhere on
/// Device::plan.
#include "tensor/dispatch.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "tensor/ops.h"

namespace {

using namespace tensor;

/// Entries of a table that hold no function.
int64_t missing(const Backend& table) {
  static_assert(sizeof(Backend) % sizeof(void (*)()) == 0);  // it is pointers to functions and nothing else
  std::vector<void (*)()> entries(sizeof(Backend) / sizeof(void (*)()));
  std::memcpy(entries.data(), &table, sizeof(Backend));
  int64_t count = 0;
  for (const auto entry : entries) count += entry == nullptr;
  return count;
}

/// Entries that a table leaves out, for they say what is done without them.
int64_t left_out(const Backend& t) {
  return !t.allocate_block + !t.release_block + !t.scale_filters + !t.batch_norm_update + !t.adam_steps + !t.cast_all +
         !t.non_finite;
}

TEST_CASE("run: a device has every kernel but those that say what is done without them, the reference joins images") {
  const Backend &cpu = backend(Device::cpu), &reference = backend(Device::reference);
  CHECK(left_out(cpu) == 7);
  CHECK(missing(cpu) == left_out(cpu));
  CHECK(missing(reference) == left_out(reference) + int64_t(sizeof(ConvInParts) / sizeof(void (*)())));
}

TEST_CASE("run: f64 on the cpu is the reference's") {
  const Tensor x = uniform({.seed = 1}, {1000, 3}, -1, 1, DType::f64, Device::reference);
  const Tensor on_cpu = x.to(Device::cpu);
  CHECK(map(Sigmoid{}, on_cpu).to_vector() == map(Sigmoid{}, x).to_vector());
  CHECK(sum_to_last(on_cpu).to_vector() == sum_to_last(x).to_vector());
  CHECK(cast(on_cpu, DType::f32).to_vector() == cast(x, DType::f32).to_vector());
  // A kernel of the cpu itself knows f32 alone.
  CHECK_THROWS_WITH(backend(Device::cpu).map(Sigmoid{}, on_cpu, on_cpu), doctest::Contains("holds f64"));
}

TEST_CASE("run: a kernel that a device lacks is told") {
  const Tensor x = full({1, 4, 4, 2}, 1, DType::f32, Device::reference),
               w = full({1, 3, 3, 4}, 1, DType::f32, x.device());
  const ConvShape z = conv_shape({1, 4, 4, 4}, w.shape(), {1, 1});
  const Tensor y = full({1, 4, 4, 1}, 0, DType::f32, x.device());
  CHECK_THROWS_WITH(run(&Backend::grad_weight_parts, z, y, Parts(std::vector{x, x}), w),
                    doctest::Contains("device reference lacks this kernel"));
}

TEST_CASE("run: the plan counts the bytes of every argument, of channels those that are copied, and calls nothing") {
  const auto bytes = [](const auto& work) {
    plan_counts() = {};
    work();
    return plan_counts().bytes;
  };
  const Tensor x({5, 7, 8}, DType::f32, Device::plan), row({8}, DType::f32, Device::plan);
  CHECK(bytes([&] { map(Relu{}, x); }) == 2 * 280 * 4);
  CHECK(bytes([&] { zip(Add{}, x, row); }) == (2 * 280 + 8) * 4);
  CHECK(bytes([&] { channels(x, 2, 3); }) == 2 * 105 * 4);
  CHECK(bytes([&] { concat({x, x}); }) == 4 * 280 * 4);
  const Tensor a({3, 4}, DType::f64, Device::plan), b({4, 5}, DType::f64, Device::plan);
  CHECK(bytes([&] { matmul(a, b); }) == (12 + 20 + 15) * 8);
  CHECK(plan_counts().flops == 2 * 3 * 4 * 5);
}

TEST_CASE("map and zip overwrite what is given away, and only that") {
  const Tensor kept = full({4}, 2, DType::f32, Device::cpu);
  CHECK(map(Affine{3, 0}, kept).raw() != kept.raw());
  CHECK(kept.to_vector() == std::vector<double>{2, 2, 2, 2});
  Tensor given = full({4}, 2, DType::f32, Device::cpu), shared = given;
  CHECK(zip(Add{}, std::move(shared), kept).raw() != given.raw());
  const void* const memory = given.raw();
  const Tensor sum = zip(Add{}, std::move(given), kept);
  CHECK(sum.raw() == memory);
  CHECK(sum.to_vector() == std::vector<double>{4, 4, 4, 4});
}

}  // namespace
