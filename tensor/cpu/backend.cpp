/// The fast host backend: the reference's memory, and kernels of its own for f32. What it lacks stays the reference's.
#include "tensor/backend.h"

namespace tensor {
namespace cpu {

/// As in reference/backend.cpp.
using Chapter = void(Backend&);
Chapter add_elementwise, add_sums, add_random, add_matmul, add_convolution, add_pooling, add_resizing, add_channels,
    add_norms, add_classes, add_exact_gaussian, add_lattice_gaussian, add_updates;

}  // namespace cpu

const Backend& cpu_backend() {
  using namespace cpu;
  static const Backend table = [] {
    Backend b = reference_backend();
    for (Chapter* add : {add_elementwise, add_sums, add_random, add_matmul, add_convolution, add_pooling, add_resizing,
                         add_channels, add_norms, add_classes, add_exact_gaussian, add_lattice_gaussian, add_updates})
      add(b);
    return b;
  }();
  return table;
}

}  // namespace tensor
