#include "tensor/dispatch.h"

#include "tensor/plan.h"

namespace tensor {

const Backend& Arguments::table() const {
  check(any_, "run: a kernel needs a tensor, which says where it runs");
  if (device_ == Device::plan) plan_bytes(bytes_);
  return device_ == Device::cpu && (f64_ || !f32_) ? reference_backend() : backend(device_);
}

}  // namespace tensor
