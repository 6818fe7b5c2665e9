/// Address space for the arenas of devices that compute in host memory.
#pragma once
#include <cstdint>

namespace tensor {

/// Reserves address space for all of the machine's memory (or its cgroup's, or what `ulimit -v` leaves), on huge pages
/// where the system has them, and sets `limit` to its size. Pages become resident when first written. Throws Error when
/// the system refuses.
void* reserve_host_memory(int64_t& limit);

}  // namespace tensor
