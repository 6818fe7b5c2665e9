/// What people read when there is no usable device, or too little of it.
#include <cuda_runtime.h>
#include <doctest/doctest.h>

#include <functional>

#include "cris/run/memory_plan.h"
#include "tensor/cuda/runtime.h"
#include "tensor/machine/allocator.h"
#include "tensor/ops.h"
#include "tests/tensor/expect.h"

namespace {

using cuda_emulator::machine;
using cuda_emulator::Machine;
using tensor::cuda::choose_device;

/// The emulated machine, changed, while it lives.
struct WithMachine {
  Machine before = machine;
  explicit WithMachine(const std::function<void(Machine&)>& change) { change(machine); }
  ~WithMachine() { machine = before; }
};

void no_driver(Machine& m) { m.devices = m.driver = 0; }

}  // namespace

TEST_CASE("cuda: no device, an old driver, an old device and missing code are told with their remedies") {
  struct Fault {
    std::function<void(Machine&)> change;
    std::vector<const char*> told;
  };
  for (const Fault& fault :
       {Fault{[](Machine& m) { m.devices = 0; }, {"no CUDA-capable device", "CUDA_VISIBLE_DEVICES", "--device cpu"}},
        {no_driver, {"no NVIDIA driver"}},
        {[](Machine& m) { m.driver = 12040; }, {"serves CUDA 12.4", "needs 13.0", "update the driver"}},
        {[](Machine& m) { m.major = 7; }, {"capability 7.0", "at least 7.5"}},
        {[](Machine& m) { m.code_error = cudaErrorInvalidDeviceFunction; },
         {"invalid device function", "CMAKE_CUDA_ARCHITECTURES=native"}},
        {[](Machine& m) { m.code_error = cudaErrorNoKernelImageForDevice; },
         {"no kernel image", "CMAKE_CUDA_ARCHITECTURES=native"}},
        {[](Machine& m) { m.code_error = cudaErrorUnsupportedPtxVersion; },
         {"unsupported toolchain", "update the driver"}}}) {
    const WithMachine faulty(fault.change);
    const std::string refusal = message_of([] { choose_device(); });
    CAPTURE(refusal);
    for (const char* words : fault.told) CHECK(contains(refusal, words));
  }
  CHECK_NOTHROW(choose_device());
}

TEST_CASE("cuda: the driver, the runtime and the devices are described, whatever state they are in") {
  const auto text = [] {
    std::string all;
    for (const auto& [key, value] : tensor::cuda::facts()) all += key + " " + value + "\n";
    return all;
  };
  CHECK(contains(text(), "driver serves CUDA 13.0"));
  CHECK(contains(text(), "code for the emulator"));
  CHECK(contains(text(), "compute capability 9.0"));
  const WithMachine m(no_driver);
  CHECK(contains(text(), "driver none"));
}

TEST_CASE("cuda: out of memory names the tensor, and the plan says which batch would fit") {
  const std::string refused = message_of([] {
    const tensor::Tensor t({1 << 14, 1 << 10, 1 << 10}, tensor::DType::f32, tensor::Device::cuda);
  });
  CHECK(contains(refused, "out of memory on cuda"));
  CHECK(contains(refused, "f32 [16384, 1024, 1024] of 65536.0 MiB"));
  const std::string workspace_refused = message_of([] {
    // One image of 1 GiB (never touched) whose patches take 9 times as much.
    const tensor::Tensor x({1, 1 << 11, 1 << 11, 64}, tensor::DType::f32, tensor::Device::cuda);
    tensor::conv2d(x, tensor::full({4, 3, 3, 64}, 1, tensor::DType::f32, tensor::Device::cuda), {}, {.padding = 1});
  });
  CHECK(contains(workspace_refused, "no room for the patches of a convolution, f32 [4194304, 576]"));
  // The device goes on.
  CHECK(tensor::sum(tensor::full({3}, 2, tensor::DType::f32, tensor::Device::cuda)).item() == 6);

  cris::Config config;
  config.data.size = 64;
  config.model.backbone.base = 8;
  config.train.batch = 6;
  const auto planned = [&](int64_t batch) {
    cris::Config c = config;
    c.train.batch = batch;
    return cris::summarize(c).training_bytes;
  };
  CHECK(contains(cris::memory_advice(config, planned(4)), "batch 4 needs"));
  CHECK(contains(cris::memory_advice(config, planned(4) - 1), "batch 3 needs"));
  CHECK(contains(cris::memory_advice(config, 1 << 10), "not even one image"));
  // The plan fits, but something outside of it did not, half as much again: smaller batches need less of it.
  const int64_t workspace = planned(6) / 2;
  const auto fits = [&](int64_t batch) { return planned(batch) + workspace * batch / 6 <= planned(6); };
  int64_t largest = 5;
  while (largest > 1 && !fits(largest)) --largest;
  CHECK(largest < 5);
  CHECK(contains(cris::memory_advice(config, planned(6), workspace), fmt::format("batch {} needs", largest)));
}
