/// What the backend's kernels cost, as far as counting shows it: kept from growing unseen.
#include <doctest/doctest.h>

#include <utility>

#include "tensor/ops.h"
#include "tensor/precision.h"
#include "tests/ptx/device.h"

namespace {

using namespace tensor;

/// Launches of what `work` does.
template <class F>
uint64_t launches(F work) {
  const uint64_t before = ptx::tally().launches;
  work();
  return ptx::tally().launches - before;
}

}  // namespace

TEST_CASE("ptx: a product's copies and operands meet no bank twice") {
  const bool counted = std::exchange(ptx::settings().count_memory, true);
  set_precision(Precision::bf16);
  const auto draw = [](uint32_t stream, const Shape& shape) {
    return uniform({9, stream, 0}, shape, -1, 1, DType::f32, Device::cuda);
  };
  struct Layer {
    int64_t lines, columns, filters, window;
  };
  // Implicit GEMMs in blocks of 64 and of 128 columns, and the kernels whose windows share their pixels.
  for (const auto& [lines, columns, filters, window] :
       {Layer{17, 17, 40, 3}, {125, 125, 72, 1}, {16, 32, 40, 3}, {64, 240, 96, 3}}) {
    const Tensor x = cast(draw(1, {1, lines, columns, 32}), DType::bf16);
    const Tensor dy = cast(draw(2, {1, lines, columns, filters}), DType::bf16);
    const Tensor w = draw(3, {filters, window, window, 32});
    const ConvOptions options{.padding = window / 2};
    conv2d(x, w, {}, options);
    conv2d_grad_input(dy, w, x.shape(), options);
    conv2d_grad_weight(dy, x, w.shape(), options);
  }
  set_precision(Precision::f32);
  ptx::settings().count_memory = counted;
  for (const auto& [name, expected] : {std::pair{"product_kernel", 3}, {"conv3x3", 3}}) {
    int kernels = 0;
    for (const ptx::DeviceKernel* k : ptx::kernels_named(name)) {
      if (!k->ready || k->ready->counts.least_wavefronts == 0 || k->name.find("ILi128ELi32E") != k->name.npos) continue;
      CAPTURE(k->name);
      const ptx::Counts& c = k->ready->counts;
      CHECK(c.wavefronts == c.least_wavefronts);
      CHECK(c.copy_wavefronts == c.least_copy_wavefronts);
      CHECK(double(c.sectors) < 1.25 * double(c.least_sectors));  // rows of 40 filters begin within one
      ++kernels;
    }
    CAPTURE(name);
    CHECK(kernels >= expected);
  }
}

TEST_CASE("ptx: many parameters take few launches") {
  const auto tensors = [](double value) {
    std::vector<Tensor> all;
    for (int i = 0; i < 60; ++i) all.push_back(full({5 + i}, value, DType::f32, Device::cuda));
    return all;
  };
  const std::vector<Tensor> g = tensors(1), w = tensors(2), m = tensors(0), v = tensors(0);
  std::vector<AdamUpdate> updates;
  for (size_t i = 0; i < g.size(); ++i) updates.push_back({{.step = 1}, g[i], w[i], m[i], v[i]});
  CHECK(launches([&] { adam_steps(updates); }) == 2);
  CHECK(w[59].to_vector() == std::vector<double>(64, w[0].to_vector()[0]));
  CHECK(launches([&] { non_finite(g); }) == 3);  // and a fill
  const Tensor x = full({5, 8}, 1, DType::f32, Device::cuda);
  const Tensor mean = full({8}, 0, DType::f32, Device::cuda), variance = full({8}, 1, DType::f32, Device::cuda);
  CHECK(launches([&] { batch_norm_update({0.1, 1, 1e-5}, x, mean, variance); }) == 2);  // sums and their ends
}
