/// Memory of the reference backend: the host's own.
#include <cstring>

#include "tensor/machine/host_memory.h"
#include "tensor/reference/reference.h"

namespace tensor {

void* ReferenceBackend::reserve_arena(int64_t& limit) { return reserve_host_memory(limit); }

// memcpy forbids null pointers even for no bytes, and an empty tensor may have one.
void ReferenceBackend::copy(void* to, const void* from, int64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, size_t(bytes));
}
void ReferenceBackend::copy_from_host(void* to, const void* host, int64_t bytes) { copy(to, host, bytes); }
void ReferenceBackend::copy_to_host(void* host, const void* from, int64_t bytes) { copy(host, from, bytes); }
void ReferenceBackend::synchronize() {}

Backend& reference_backend() {
  static ReferenceBackend the_one;
  return the_one;
}

}  // namespace tensor
