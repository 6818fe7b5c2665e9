/// Address space for the arenas of devices that compute in host memory.
#pragma once
#include <cstdint>
#include <istream>
#include <string>

namespace tensor {

/// The least memory limit, in bytes, of the control groups that `groups` (/proc/self/cgroup) names, of both versions,
/// and of all groups around them; `root` is where their trees are mounted. INT64_MAX without limits.
int64_t group_memory(std::istream& groups, const std::string& root);

/// Reserves address space for all of the machine's memory (or its cgroup's, or what `ulimit -v` leaves), on huge pages
/// where the system has them, and sets `limit` to its size. Pages become resident when first written. Throws Error when
/// the system refuses.
void* reserve_host_memory(int64_t& limit);

}  // namespace tensor
