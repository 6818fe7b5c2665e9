/// Reserves arenas in host memory with mmap.
#include "tensor/machine/host_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "tensor/check.h"

namespace tensor {

namespace {

/// Bytes of memory that this process may fill: the machine's, or its cgroup's where that is less.
int64_t machine_memory() {
  const int64_t bytes = int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
  std::ifstream groups("/proc/self/cgroup");
  return std::min(bytes, group_memory(groups, "/sys/fs/cgroup"));
}

}  // namespace

int64_t group_memory(std::istream& groups, const std::string& root) {
  int64_t least = INT64_MAX;
  const auto look = [&](const std::string& tree, const char* name, std::string group) {
    // A container may see its own group at the root of the tree, under a path that is not there.
    for (;; group.resize(group.find_last_of('/'))) {
      int64_t bytes = 0;
      if (std::ifstream file(root + tree + group + "/" + name); file >> bytes && bytes > 0)
        least = std::min(least, bytes);
      if (group.find('/') == std::string::npos) return;
    }
  };
  look("", "memory.max", "");
  for (std::string line; std::getline(groups, line);) {  // NUMBER:CONTROLLERS:PATH
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",",
                      path = line.substr(second + 1);
    if (controllers == ",,") look("", "memory.max", path);
    if (controllers.find(",memory,") != std::string::npos) look("/memory", "memory.limit_in_bytes", path);
  }
  return least;
}

void* reserve_host_memory(int64_t& limit) {
  // Pages become resident when first written: an arena larger than the memory would end in a SIGKILL without a word.
  // Where address space is limited (ulimit -v), settle for less.
  constexpr int64_t kHugePage = 2 << 20;
  for (limit = machine_memory(); limit >= int64_t(64) << 20; limit /= 2) {
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
