/// f64 is routed here, once for all kernels: the cpu's know f32 alone.
#include "tensor/dispatch.h"

namespace tensor {

PlanCounts& plan_counts() {
  static PlanCounts counts;
  return counts;
}

const Backend& Arguments::table() const {
  check(any_, "run: a kernel needs a tensor, which says where it runs");
  if (device_ == Device::plan) plan_counts().bytes += bytes_, ++plan_counts().calls;
  return device_ == Device::cpu && (f64_ || !f32_) ? reference_backend() : backend(device_);
}

}  // namespace tensor
