/// Which table of kernels serves a device.
#include "tensor/backend.h"

#include "tensor/cpu_kernels.h"

namespace tensor {

const Backend& backend(Device device) {
  switch (device) {
    case Device::reference:
      return reference_backend();
    case Device::cpu:
      return cpu_kernels().table();
    case Device::cuda:
      return cuda_backend();
    case Device::plan:
      return plan_backend();
  }
  throw Error("backend: unknown device");
}

const DeviceMemory& device_memory(Device device) { return backend(device); }

}  // namespace tensor
