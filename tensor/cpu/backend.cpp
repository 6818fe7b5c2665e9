/// The one CPU backend.
#include "tensor/cpu/backend.h"

namespace tensor {

Backend& cpu_backend() {
  static cpu::CpuBackend backend;
  return backend;
}

}  // namespace tensor
