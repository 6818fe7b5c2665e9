/// Address space for the arenas of devices that compute in host memory.
#pragma once
#include <cstdint>

namespace tensor {

/// Reserves address space of at most `limit` bytes (updated to what was given) on huge pages where the system has them.
/// Pages become resident when first written. Throws Error when the system refuses.
void* reserve_host_memory(int64_t& limit);

}  // namespace tensor
