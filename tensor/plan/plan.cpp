/// The arena does its bookkeeping over addresses that are never touched; `run` counts the bytes of every kernel. The
/// few functions here count what tensors do not tell: arithmetic, and memory that a kernel takes while it runs.
#include "tensor/plan/plan.h"

#include <cstring>
#include <utility>

#include "tensor/dispatch.h"
#include "tensor/gaussian/lattice.h"

namespace tensor {
namespace {

Device planned = Device::cpu;
std::optional<AbsentDevice> absent;
std::vector<PlannedConvolution>* convolutions = nullptr;

void convolution(const ConvShape& z, ConvPass pass, DType dtype) {
  if (convolutions) convolutions->push_back({z, pass, dtype});
  const Storage workspace(Device::plan, backend(planned).conv_workspace_bytes(z, pass, dtype));
  plan_counts().flops += z.flops();
}

void lattice_gaussian(const Lattice& l, const GaussianPass&, const Tensor& x, const Tensor&) {
  const int64_t channels = x.shape()[-1];
  const Tensor work({2, l.vertices + 1, planned == Device::cuda ? channels : 1}, x.dtype(), x.device());
  plan_counts().flops += double(channels * l.axes() * (4 * l.points + 3 * l.vertices));
  for (const Tensor* t : {&l.vertex, &l.weight, &l.neighbour, &work}) plan_counts().bytes += double(t->bytes());
}

Backend plan_table() {
  Backend b{};
  b.reserve_arena = [](int64_t& limit) {
    limit = int64_t(1) << 46;
    return reinterpret_cast<void*>(uintptr_t(1) << 46);  // an address that is never read or written
  };
  b.copy_from_host = [](void*, const void*, int64_t) {};
  b.copy_to_host = [](void* host, const void*, int64_t bytes) { std::memset(host, 0, size_t(bytes)); };
  b.copy = [](void*, const void*, int64_t) {};
  b.synchronize = [] {};
  b.activation_type = [](DType parameters) {
    return absent ? absent->activations : backend(planned).activation_type(parameters);
  };
  b.cast_all = [](const std::vector<Tensor>& x, const std::vector<Tensor>& y) {
    ++plan_counts().calls;
    for (const auto* tensors : {&x, &y})
      for (const Tensor& t : *tensors) plan_counts().bytes += double(t.bytes());
  };
  b.takes_parts = [](const ConvShape& z, const std::vector<int64_t>& channels, DType dtype) {
    const auto takes = absent ? absent->takes_parts : backend(planned).takes_parts;
    return takes && takes(z, channels, dtype);
  };
  b.conv2d = [](const ConvShape& z, const Tensor&, const Tensor&, const Tensor&, Activation, const Tensor& y) {
    convolution(z, ConvPass::forward, y.dtype());
  };
  b.conv2d_grad_input = [](const ConvShape& z, const Tensor& dy, const Tensor&, const Tensor&, const Tensor&) {
    convolution(z, ConvPass::grad_input, dy.dtype());
  };
  b.conv2d_grad_weight = [](const ConvShape& z, const Tensor& dy, const Tensor&, const Tensor&) {
    convolution(z, ConvPass::grad_weight, dy.dtype());
  };
  b.conv2d_parts = [](const ConvShape& z, const Parts<Tensor>&, const Tensor&, const Tensor&, Activation,
                      const Tensor& y) { convolution(z, ConvPass::forward, y.dtype()); };
  b.grad_input_parts = [](const ConvShape& z, const Tensor& dy, const Tensor&, const Parts<Tensor>&) {
    convolution(z, ConvPass::grad_input, dy.dtype());
  };
  b.grad_weight_parts = [](const ConvShape& z, const Tensor& dy, const Parts<Tensor>&, const Tensor&) {
    convolution(z, ConvPass::grad_weight, dy.dtype());
  };
  b.matmul = [](const MatmulShape& z, const Tensor&, const Tensor&, const Tensor&) {
    plan_counts().flops += 2.0 * double(z.m) * double(z.n) * double(z.k);
  };
  b.exact_gaussian = [](const Tensor& features, const GaussianPass&, const Tensor& x, const Tensor&) {
    const double points = double(features.shape()[0]);
    plan_counts().flops += points * points * double(3 * features.shape()[1] + 2 * x.shape()[-1]);
  };
  b.lattice_gaussian = lattice_gaussian;
  return b;
}

}  // namespace

const Backend& plan_backend() {
  static const Backend table = plan_table();
  return table;
}
Device set_planned_device(Device device) { return std::exchange(planned, device); }
std::optional<AbsentDevice> set_absent_device(std::optional<AbsentDevice> device) {
  return std::exchange(absent, device);
}
Device planned_device() { return absent ? absent->device : planned; }
std::vector<PlannedConvolution>* set_planned_convolutions(std::vector<PlannedConvolution>* list) {
  return std::exchange(convolutions, list);
}

}  // namespace tensor
