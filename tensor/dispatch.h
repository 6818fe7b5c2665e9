/// The one door to the kernels: which device's table a call goes to, and what Device::plan counts instead.
#pragma once
#include <type_traits>

#include "tensor/backend.h"

namespace tensor {

/// What kernels on Device::plan would have done. Whoever counts begins with plan_counts() = {}.
struct PlanCounts {
  double flops = 0;   ///< multiplications and additions of convolutions, matrix products and filters, padding counted
  double bytes = 0;   ///< bytes that kernels read and write, each argument once
  int64_t calls = 0;  ///< of kernels
};
PlanCounts& plan_counts();

/// What the arguments of a kernel have in common.
class Arguments {
 public:
  void see(const Tensor& t) { see(t, double(t.bytes())); }
  void see(const Parts<Tensor>& image) {
    for (const Tensor& part : image) see(part);
  }
  void see(const ChannelRange& x) {
    const int64_t all = x.image.shape()[-1];
    see(x.image, all ? double(x.image.bytes()) * double(x.count) / double(all) : 0);
  }
  /// The rows beside x are too short to count.
  void see(const BatchNorm& b) { see(b.x); }
  template <class T>
  void see(const T&) {}  // shapes, keys, numbers

  /// The table that serves them: that of their device, but of the cpu's only where f32 is among them and f64 is not,
  /// for its kernels know f32 alone; else the reference's. Device::plan counts their bytes.
  const Backend& table() const;
  Device device() const { return device_; }

 private:
  Device device_ = Device::reference;
  bool any_ = false, f32_ = false, f64_ = false;
  double bytes_ = 0;

  void see(const Tensor& t, double bytes) {
    if (!t.defined()) return;
    device_ = t.device();
    any_ = true;
    f32_ |= t.dtype() == DType::f32;
    f64_ |= t.dtype() == DType::f64;
    bytes_ += bytes;
  }
};

/// Calls a kernel where its arguments are: run(&Backend::max_pool, z, x, y, index). On Device::plan the bytes of the
/// tensors are counted, and a kernel need not exist. Throws Error where another device lacks it.
template <class Table, class... P>
void run(void (*Table::*kernel)(P...), std::type_identity_t<P>... arguments) {
  Arguments seen;
  (seen.see(arguments), ...);
  const Table& table = seen.table();  // Backend, or the part of it that conv_parts.h declares
  if (table.*kernel) return (table.*kernel)(arguments...);
  check(seen.device() == Device::plan, "device {} lacks this kernel; move the tensors to the cpu with to()",
        name(seen.device()));
}

}  // namespace tensor
