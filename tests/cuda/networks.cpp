/// Whole networks on CUDA: PyTorch's numbers, and training steps that follow the reference, in both thread orders.
#include <doctest/doctest.h>

#include <cstdlib>

#include "cris/audit/parity.h"
#include "cris/run/memory_plan.h"
#include "cris/run/replayed_step.h"
#include "nn/conv.h"
#include "nn/precision.h"
#include "tensor/machine/allocator.h"
#include "tensor/precision.h"
#include "tensor/relative_error.h"
#include "tests/cris/three_steps.h"

namespace {

using namespace three_steps;

/// On the emulator: threads in descending order while it lives.
struct Reversed {
  explicit Reversed(bool on) {
    if (on) setenv("CRIS_EMULATOR_REVERSE", "1", 1);
  }
  ~Reversed() { unsetenv("CRIS_EMULATOR_REVERSE"); }
};

void check_parity(bool reverse, tensor::Precision precision = tensor::Precision::f32, const char* only = "") {
  const Reversed order(reverse);
  int cases = 0;
  run_parity(std::string(CRIS_TEST_DATA) + "/../vectors",
             {.device = Device::cuda, .dtype = DType::f32, .precision = precision, .only = only, .write_folder = ""},
             [&](const ParityResult& r) {
               ++cases;
               CAPTURE(r.name);
               CAPTURE(r.tensor);
               CAPTURE(r.error);
               CAPTURE(r.failure);
               CHECK(r.passed);
             });
  CHECK(cases > (*only ? 10 : 60));
}

TEST_CASE("cuda: weights are rounded for one forward pass, and a weight that changes is rounded again") {
  tensor::set_precision(tensor::Precision::bf16);
  nn::Conv2d conv({.in = 8, .out = 8, .bias = false});
  conv.to(Device::cuda);
  const auto computed = [&](double weight) {
    conv.weight.set_value(tensor::full(conv.weight.shape(), weight, DType::f32, Device::cuda));
    const nn::RoundedWeights rounded(conv);
    CHECK(conv.weight.operand().dtype() == nn::activation_type(conv.weight.value()));
    CHECK(conv.weight.value().dtype() == DType::f32);
    const Variable image(tensor::full({1, 3, 3, 8}, 1, DType::f32, Device::cuda));
    return conv(nn::to_activations(image)).value().to_vector();
  };
  CHECK(computed(0.5) == std::vector<double>(8, 36));
  CHECK(conv.weight.operand().dtype() == DType::f32);
  CHECK(computed(0.25) == std::vector<double>(8, 18));
  tensor::set_precision(tensor::Precision::f32);
}

TEST_CASE("cuda: small values are held for the backward pass, large ones made again") {
  for (const int64_t bytes : {int64_t(1) << 20, int64_t(9) << 20}) {
    const Variable x(tensor::full({bytes / 4}, 1, DType::f32, Device::cuda), true);
    int made = 0;
    const auto make = [&] {
      ++made;
      return tensor::full({bytes / 4}, 2, DType::f32, Device::cuda);
    };
    Variable y = autograd::record("twice", make(), {{x, [](Tensor dy) { return dy; }}}, make);
    const autograd::Saved saved(y);
    y = {};
    CHECK(saved.get().to_vector()[0] == 2);
    CHECK(made == (bytes > 8 << 20 ? 2 : 1));
  }
}

}  // namespace

TEST_CASE("cuda: PyTorch's numbers") { check_parity(false); }

TEST_CASE("cuda: PyTorch's numbers, threads in descending order") { check_parity(true); }

TEST_CASE("cuda: PyTorch's numbers with activations kept as bf16, at its tolerances") {
  check_parity(false, tensor::Precision::bf16);
  check_parity(true, tensor::Precision::bf16);
}

TEST_CASE("cuda: PyTorch's convolutions on tensor cores, at the tolerance of tf32") {
  for (const bool reverse : {false, true}) {
    check_parity(reverse, tensor::Precision::tf32, "conv");
  }
}

TEST_CASE("cuda: three training steps of every network follow the reference, with the same bits in any thread order") {
  struct Network {
    BackboneKind kind;
    Strategy strategy;
  };
  for (const Network& n : {Network{BackboneKind::unet, Strategy::cris},
                           {BackboneKind::unet_plus_plus, Strategy::cris},
                           {BackboneKind::segnet, Strategy::cris},
                           {BackboneKind::unet, Strategy::backbone},
                           {BackboneKind::unet, Strategy::fcn},
                           {BackboneKind::unet, Strategy::crf}}) {
    const std::string network = std::string(name(n.kind)) + " " + name(n.strategy);
    CAPTURE(network);
    const std::vector<double> got = trained(n.kind, n.strategy, Device::cuda);
    // In f64: SegNet's maxima nearly tie, and the f32 reference itself strays by 1.4e-3.
    CHECK(tensor::relative_error(got, trained(n.kind, n.strategy, Device::reference, DType::f64)) < 1e-3);
    const Reversed order(true);
    CHECK(trained(n.kind, n.strategy, Device::cuda) == got);
  }
}

TEST_CASE("cuda: three training steps with activations kept as bf16 follow the reference, with the same bits") {
  for (const BackboneKind kind : {BackboneKind::unet, BackboneKind::unet_plus_plus, BackboneKind::segnet}) {
    // One so wide that tensor cores serve all of it: channels in eights. They take the emulator long.
    const int64_t base = kind == BackboneKind::unet ? 8 : 2;
    const std::string network = name(kind);
    CAPTURE(network);
    const std::vector<double> want = trained(kind, Strategy::cris, Device::cpu, DType::f32, base);
    tensor::set_precision(tensor::Precision::bf16);
    const std::vector<double> got = trained(kind, Strategy::cris, Device::cuda, DType::f32, base);
    CHECK(tensor::relative_error(got, want) < 5e-2);
    CHECK(tensor::relative_error(got, want) > 1e-5);  // else nothing was rounded
    if (kind == BackboneKind::unet) {
      const Reversed order(true);
      CHECK(trained(kind, Strategy::cris, Device::cuda, DType::f32, base) == got);
    }
    tensor::set_precision(tensor::Precision::f32);
  }
}

TEST_CASE("cuda: the peak of a training step is what was planned, workspaces included") {
  Config config;
  config.data.size = 64;
  config.model.backbone.base = 8;
  config.train.batch = 3;
  config.run.device = tensor::Device::cuda;
  std::vector<double> planned;
  for (const auto precision : {tensor::Precision::f32, tensor::Precision::bf16}) {
    CAPTURE(name(precision));
    config.run.precision = precision;
    apply_run_settings(config);
    const int64_t before = tensor::memory_stats(Device::cuda).live;
    const auto model = make_model(config);
    nn::Adam optimizer(*model);
    ReplayedStep step(*model, optimizer, {}, true);
    const Tensor x = tensor::full({3, 64, 64, 3}, 0.5, DType::f32, Device::cuda);
    const Tensor mask = tensor::full({3, 64, 64, 1}, 1, DType::f32, Device::cuda);
    tensor::reset_peak_memory(Device::cuda);
    for (uint32_t number = 0; number < 2; ++number) step.take({.epoch = 1, .number = number}, x, mask, 1e-3);
    const double measured = double(tensor::memory_stats(Device::cuda).peak - before);
    tensor::set_precision(tensor::Precision::f32);  // the plan has a precision of its own
    planned.push_back(double(summarize(config).training_bytes));
    CHECK(measured == doctest::Approx(planned.back()).epsilon(0.02));
  }
  // Weights, gradients and moments take the same in both.
  CHECK(planned[1] < 0.7 * planned[0]);
  tensor::set_precision(tensor::Precision::f32);
}
