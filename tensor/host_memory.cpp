/// Reserves arenas in host memory with mmap.
#include "tensor/host_memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "tensor/check.h"

namespace tensor {

void* reserve_host_memory(int64_t& limit) {
  // Address space is free; where a limit on it is set (ulimit -v), settle for less.
  constexpr int64_t kHugePage = 2 << 20;
  for (limit = int64_t(1) << 40; limit >= int64_t(64) << 20; limit /= 2) {
    void* base = mmap(nullptr, size_t(limit + kHugePage), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) continue;
    const auto address = reinterpret_cast<uintptr_t>(base);
    void* aligned = reinterpret_cast<void*>((address + kHugePage - 1) / kHugePage * kHugePage);
    madvise(aligned, size_t(limit), MADV_HUGEPAGE);
    return aligned;
  }
  throw Error(fmt::format("host memory: cannot reserve address space ({}); raise `ulimit -v`", std::strerror(errno)));
}

}  // namespace tensor
