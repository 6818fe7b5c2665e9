/// Bytes as a file that lies in memory, for readers that take a path.
#pragma once
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

struct MemoryFile {
  int descriptor = memfd_create("fuzzed", MFD_CLOEXEC);
  std::string path = fmt::format("/proc/self/fd/{}", descriptor);

  MemoryFile(const uint8_t* bytes, size_t size) {
    if (write(descriptor, bytes, size) != ssize_t(size)) __builtin_trap();
  }
  ~MemoryFile() { close(descriptor); }
  MemoryFile(const MemoryFile&) = delete;
};
