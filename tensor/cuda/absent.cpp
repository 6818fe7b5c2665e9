/// Stands in for the CUDA backend in builds without it.
#include "tensor/backend.h"

namespace tensor {

Backend& cuda_backend() {
  throw Error(
      "device cuda: this build has no CUDA; configure with a CUDA toolkit (cmake --preset cuda) or choose --device "
      "cpu");
}

}  // namespace tensor
