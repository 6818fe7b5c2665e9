/// Which backend serves a device.
#include "tensor/backend.h"

namespace tensor {

const Backend& backend(Device device) {
  switch (device) {
    case Device::reference:
      return reference_backend();
    case Device::cpu:
      return cpu_backend();
    case Device::cuda:
      return cuda_backend();
    case Device::plan:
      return plan_backend();
  }
  throw Error("backend: unknown device");
}

}  // namespace tensor
