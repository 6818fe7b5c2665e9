/// Bytes as a file that lies in memory, for readers that take a path.
#pragma once
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

struct MemoryFile {
  int descriptor = memfd_create("fuzzed", MFD_CLOEXEC);
  std::string path = fmt::format("/proc/self/fd/{}", descriptor);

  explicit MemoryFile(std::string_view bytes) {
    if (write(descriptor, bytes.data(), bytes.size()) != ssize_t(bytes.size())) __builtin_trap();
  }
  MemoryFile(const uint8_t* bytes, size_t size) : MemoryFile({reinterpret_cast<const char*>(bytes), size}) {}
  ~MemoryFile() { close(descriptor); }
  MemoryFile(const MemoryFile&) = delete;
};
