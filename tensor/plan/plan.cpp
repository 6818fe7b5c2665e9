/// Kernels that count instead of compute; the arena does its bookkeeping over addresses that are never touched.
#include "tensor/plan/plan.h"

#include <cstring>
#include <utility>

#include "tensor/conv_parts.h"

namespace tensor {
namespace {

PlanCounts counts;
Device planned = Device::cpu;

void moves(std::initializer_list<const Tensor*> tensors) {
  for (const Tensor* t : tensors) counts.bytes += double(t->bytes());
}

/// One pass, its image maybe in parts, with what the planned device takes from its arena meanwhile.
void convolution(const ConvShape& z, ConvPass pass, const Parts<Tensor>& image,
                 std::initializer_list<const Tensor*> others) {
  const Storage scratch(Device::plan, backend(planned).conv_workspace_bytes(z, pass, image[0].dtype()));
  counts.flops += z.flops();
  moves(others);
  for (const Tensor& part : image) moves({&part});
}

class PlanBackend final : public Backend {
 public:
  void* reserve_arena(int64_t& limit) override {
    limit = int64_t(1) << 46;
    return reinterpret_cast<void*>(uintptr_t(1) << 46);  // an address that is never read or written
  }
  void copy_from_host(void*, const void*, int64_t) override {}
  void copy_to_host(void* host, const void*, int64_t bytes) override { std::memset(host, 0, size_t(bytes)); }
  void copy(void*, const void*, int64_t) override {}
  void synchronize() override {}

  DType activation_type(DType parameters) const override { return backend(planned).activation_type(parameters); }

  void map(const MapOp&, const Tensor& x, const Tensor& y) override { moves({&x, &y}); }
  void zip(const ZipOp&, const Tensor& a, const Tensor& b, const Tensor& y) override { moves({&a, &b, &y}); }
  void sum(const Tensor& x, const Tensor& y) override { moves({&x, &y}); }
  void cast(const Tensor& x, const Tensor& y) override { moves({&x, &y}); }
  void fill(double, const Tensor& y) override { moves({&y}); }
  void fill_uniform(const RandomKey&, double, double, const Tensor& y) override { moves({&y}); }
  void fill_normal(const RandomKey&, double, double, const Tensor& y) override { moves({&y}); }
  void dropout(const RandomKey&, double, const Tensor& x, const Tensor& y) override { moves({&x, &y}); }
  void matmul(const MatmulShape& z, const Tensor& a, const Tensor& b, const Tensor& y) override {
    counts.flops += 2.0 * double(z.m) * double(z.n) * double(z.k);
    moves({&a, &b, &y});
  }
  ConvInParts* conv_in_parts() override;
  void conv2d(const ConvShape& z, const Tensor& x, const Tensor& w, const Tensor& b, Activation,
              const Tensor& y) override {
    convolution(z, ConvPass::forward, x, {&w, &b, &y});
  }
  void conv2d_grad_input(const ConvShape& z, const Tensor& dy, const Tensor& w, const Tensor& b,
                         const Tensor& dx) override {
    convolution(z, ConvPass::grad_input, dx, {&dy, &w, &b});
  }
  void conv2d_grad_weight(const ConvShape& z, const Tensor& dy, const Tensor& x, const Tensor& dw) override {
    convolution(z, ConvPass::grad_weight, x, {&dy, &dw});
  }
  void max_pool(const PoolShape&, const Tensor& x, const Tensor& y, const Tensor& index) override {
    moves({&x, &y, &index});
  }
  void max_pool_grad(const PoolShape&, const Tensor& dy, const Tensor& index, const Tensor& dx) override {
    moves({&dy, &index, &dx});
  }
  void max_unpool(const PoolShape&, const Tensor& x, const Tensor& index, const Tensor& y) override {
    moves({&x, &index, &y});
  }
  void max_unpool_grad(const PoolShape&, const Tensor& dy, const Tensor& index, const Tensor& dx) override {
    moves({&dy, &index, &dx});
  }
  void resize(const ResizeShape&, const Tensor& x, const Tensor& y) override { moves({&x, &y}); }
  void resize_grad(const ResizeShape&, const Tensor& dy, const Tensor& dx) override { moves({&dy, &dx}); }
  void copy_channels(const Tensor& x, int64_t, int64_t count, const Tensor&, int64_t) override {
    counts.bytes += 2.0 * double(x.bytes()) * double(count) / double(x.shape()[-1]);
  }
  void batch_norm_statistics(const Tensor& x, const Tensor& mean, const Tensor& variance) override {
    moves({&x, &mean, &variance});
  }
  void batch_norm(const BatchNorm& b, const Tensor& y) override { moves({&b.x, &y}); }
  void batch_norm_grad_sums(const BatchNorm& b, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta) override {
    moves({&b.x, &dy, &dgamma, &dbeta});
  }
  void batch_norm_grad_input(const BatchNorm& b, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta, bool,
                             const Tensor& dx) override {
    moves({&b.x, &dy, &dgamma, &dbeta, &dx});
  }
  void softmax(const Tensor& x, const Tensor& y) override { moves({&x, &y}); }
  void softmax_grad(const Tensor& dy, const Tensor& y, const Tensor& dx) override { moves({&dy, &y, &dx}); }
  void exact_gaussian(const Tensor& features, const GaussianPass&, const Tensor& x, const Tensor& y) override {
    const double points = double(features.shape()[0]);
    counts.flops += points * points * double(3 * features.shape()[1] + 2 * x.shape()[-1]);
    moves({&features, &x, &y});
  }
  void lattice_gaussian(const Lattice& l, const GaussianPass&, const Tensor& x, const Tensor& y) override {
    const int64_t channels = x.shape()[-1];
    const Tensor work({2, l.vertices + 1, planned == Device::cuda ? channels : 1}, x.dtype(), x.device());
    counts.flops += double(channels * l.axes() * (4 * l.points + 3 * l.vertices));
    moves({&l.vertex, &l.weight, &l.neighbour, &x, &work, &y});
  }
  void adam_step(const AdamStep&, const Tensor& g, const Tensor& w, const Tensor& m, const Tensor& v) override {
    moves({&g, &w, &m, &v, &w, &m, &v});
  }
  void sgd_step(const SgdStep&, const Tensor& g, const Tensor& w, const Tensor& velocity) override {
    moves({&g, &w, &velocity, &w, &velocity});
  }
};

/// Where the planned device has them.
class PlanConvInParts final : public ConvInParts {
 public:
  bool takes(const ConvShape& z, const std::vector<int64_t>& channels, DType dtype) override {
    return backend(planned).conv_in_parts()->takes(z, channels, dtype);
  }
  void conv2d(const ConvShape& z, const Parts<Tensor>& x, const Tensor& w, const Tensor& b, Activation,
              const Tensor& y) override {
    convolution(z, ConvPass::forward, x, {&w, &b, &y});
  }
  void grad_input(const ConvShape& z, const Tensor& dy, const Tensor& w, const Parts<Tensor>& dx) override {
    convolution(z, ConvPass::grad_input, dx, {&dy, &w});
  }
  void grad_weight(const ConvShape& z, const Tensor& dy, const Parts<Tensor>& x, const Tensor& dw) override {
    convolution(z, ConvPass::grad_weight, x, {&dy, &dw});
  }
};

ConvInParts* PlanBackend::conv_in_parts() {
  static PlanConvInParts in_parts;
  return backend(planned).conv_in_parts() ? &in_parts : nullptr;
}

}  // namespace

Backend& plan_backend() {
  static PlanBackend backend;
  return backend;
}
PlanCounts plan_counts() { return counts; }
void reset_plan_counts() { counts = {}; }
Device set_planned_device(Device device) { return std::exchange(planned, device); }

}  // namespace tensor
