/// The memory of a device: where its arena lies and how bytes come and go. The first part of every backend
/// (tensor/backend.h).
#pragma once
#include <cstdint>

#include "tensor/device.h"

namespace tensor {

struct DeviceMemory {
  /// Reserves address space for the device's arena; pages become resident when first written. `limit` returns its
  /// bytes.
  void* (*reserve_arena)(int64_t& limit);
  /// Blocks of their own beside the arena's bookkeeping, for tools that know memory by its allocations; null: blocks
  /// are parts of the arena.
  void* (*allocate_block)(int64_t bytes);
  void (*release_block)(void* block);
  void (*copy_from_host)(void* to, const void* host, int64_t bytes);
  void (*copy_to_host)(void* host, const void* from, int64_t bytes);
  void (*copy)(void* to, const void* from, int64_t bytes);
  /// Waits for all kernels launched so far.
  void (*synchronize)();
};

/// Throws Error when this build or this machine lacks the device, saying what to do.
const DeviceMemory& device_memory(Device device);

}  // namespace tensor
