/// The reference backend: naive loops in f32 and f64, the executable specification that every other backend is held to.
/// Compiled without contraction or machine-specific instructions, so that two machines agree.
#include "tensor/backend.h"

#include <cstring>

#include "tensor/machine/host_memory.h"

namespace tensor {
namespace reference {

/// Enters the kernels of one file into the table. One a file of this folder.
using Chapter = void(Backend&);
Chapter add_elementwise, add_random, add_matmul, add_convolution, add_pooling, add_resizing, add_channels, add_classes,
    add_gaussians, add_updates;

namespace {

// memcpy forbids null pointers even for no bytes, and an empty tensor may have one.
void copy(void* to, const void* from, int64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, size_t(bytes));
}

}  // namespace
}  // namespace reference

const Backend& reference_backend() {
  using namespace reference;
  static const Backend table = [] {
    Backend b{};
    b.reserve_arena = reserve_host_memory;
    b.copy_from_host = b.copy_to_host = b.copy = copy;
    b.synchronize = [] {};
    b.facts = [] { return std::vector<std::pair<std::string, std::string>>(); };
    b.activation_type = [](DType parameters) { return parameters; };
    b.conv_workspace_bytes = [](const ConvShape&, ConvPass, DType) { return int64_t(0); };
    for (Chapter* add : {add_elementwise, add_random, add_matmul, add_convolution, add_pooling, add_resizing,
                         add_channels, add_classes, add_gaussians, add_updates})
      add(b);
    return b;
  }();
  return table;
}

}  // namespace tensor
