/// Arena bookkeeping and the arenas of all devices.
#include "tensor/machine/allocator.h"

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>
#include <utility>

#include "tensor/machine/device_memory.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace tensor {
namespace {

int64_t round_up(int64_t bytes) {
  return (std::max<int64_t>(bytes, 1) + Arena::kAlignment - 1) / Arena::kAlignment * Arena::kAlignment;
}

BlockWatch block_watch = nullptr;

/// A freed block, and the end of a block that nobody asked for, are unreadable until handed out; AddressSanitizer
/// builds check it, and who watches the blocks.
void poison(Device device, void* block, int64_t bytes, bool on) {
  if (block_watch) block_watch(device, block, bytes, !on);
#if defined(__SANITIZE_ADDRESS__)
  if (device == Device::cuda || device == Device::plan) return;
  if (on)
    ASAN_POISON_MEMORY_REGION(block, size_t(bytes));
  else
    ASAN_UNPOISON_MEMORY_REGION(block, size_t(bytes));
#endif
}

struct DeviceArena {
  explicit DeviceArena(Device device)
      : memory(device_memory(device)), base(static_cast<char*>(memory.reserve_arena(limit))), arena(limit) {}
  const DeviceMemory& memory;
  int64_t limit = 0;
  char* base;
  Arena arena;
  std::mutex mutex;
  Footprint* noting = nullptr;
  std::unordered_map<void*, int64_t> offsets;  // of blocks of their own (DeviceMemory::allocate_block)

  void* block(int64_t offset, int64_t bytes) {
    if (!memory.allocate_block) return base + offset;
    try {
      void* const block = memory.allocate_block(bytes);
      offsets[block] = offset;
      return block;
    } catch (...) {
      arena.release(offset);
      throw;
    }
  }
  int64_t release(void* block) {
    if (!memory.allocate_block) return arena.release(static_cast<char*>(block) - base);
    const auto own = offsets.extract(block);
    memory.release_block(block);
    return arena.release(own.empty() ? -1 : own.mapped());
  }
};

/// Made at first use and never destroyed: tensors of static lifetime may outlive everything else.
DeviceArena& arena_of(Device device) {
  static std::mutex mutex;
  static std::array<DeviceArena*, 4> arenas{};
  const std::lock_guard lock(mutex);
  DeviceArena*& a = arenas[size_t(device)];
  if (a == nullptr) a = new DeviceArena(device);
  return *a;
}

}  // namespace

void Arena::add_hole(int64_t offset, int64_t bytes) {
  holes_.emplace(offset, bytes);
  by_size_.emplace(bytes, offset);
}

void Arena::erase_hole(std::map<int64_t, int64_t>::iterator hole) {
  by_size_.erase({hole->second, hole->first});
  holes_.erase(hole);
}

int64_t Arena::allocate(int64_t bytes) {
  bytes = round_up(bytes);
  int64_t offset;
  if (const auto fit = by_size_.lower_bound({bytes, 0}); fit != by_size_.end()) {
    const auto [hole_bytes, hole_offset] = *fit;
    offset = hole_offset;
    erase_hole(holes_.find(hole_offset));
    if (hole_bytes > bytes) add_hole(offset + bytes, hole_bytes - bytes);
  } else {
    if (bytes > limit_ - end_) return -1;
    offset = end_;
    end_ += bytes;
  }
  add_block(offset, bytes);
  return offset;
}

void Arena::add_block(int64_t offset, int64_t bytes) {
  live_.emplace(offset, bytes);
  stats_.live += bytes;
  stats_.peak_live = std::max(stats_.peak_live, stats_.live);
  stats_.peak = std::max(stats_.peak, end_);
}

bool Arena::allocate_at(int64_t offset, int64_t bytes) {
  const int64_t beyond = offset + bytes;
  if (offset >= end_) {
    if (beyond > limit_) return false;
    if (offset > end_) add_hole(end_, offset - end_);
    end_ = beyond;
  } else {
    auto hole = holes_.upper_bound(offset);
    if (hole == holes_.begin()) return false;
    const auto [first, size] = *--hole;
    if (first + size < beyond) return false;
    erase_hole(hole);
    if (first < offset) add_hole(first, offset - first);
    if (beyond < first + size) add_hole(beyond, first + size - beyond);
  }
  add_block(offset, bytes);
  return true;
}

int64_t Arena::release(int64_t offset) {
  const auto block = live_.find(offset);
  check(block != live_.end(), "release: no block of this arena begins at offset {}", offset);
  const int64_t bytes = block->second;
  int64_t first = offset, size = bytes;
  live_.erase(block);
  stats_.live -= bytes;
  auto next = holes_.lower_bound(first);
  if (next != holes_.end() && next->first == first + size) {
    size += next->second;
    auto after = std::next(next);
    erase_hole(next);
    next = after;
  }
  if (next != holes_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == first) {
      first = before->first;
      size += before->second;
      erase_hole(before);
    }
  }
  if (first + size == end_)
    end_ = first;
  else
    add_hole(first, size);
  return bytes;
}

void Arena::reset_peaks() {
  stats_.peak_live = stats_.live;
  stats_.peak = end_;
}

OutOfMemory::OutOfMemory(Device device, const std::string& what, int64_t asked, int64_t live, int64_t limit)
    : Error(fmt::format("out of memory on {}: no room for {} of {:.1f} MiB; {:.1f} MiB of {:.1f} are in use; use a "
                        "smaller batch, size or base",
                        name(device), what, double(asked) / (1 << 20), double(live) / (1 << 20),
                        double(limit) / (1 << 20))),
      device(device),
      asked(asked),
      live(live),
      limit(limit) {}

void watch_blocks(BlockWatch watch) { block_watch = watch; }

void* allocate(Device device, int64_t bytes) {
  DeviceArena& a = arena_of(device);
  const std::lock_guard lock(a.mutex);
  const int64_t offset = a.arena.allocate(bytes);
  if (offset < 0) throw OutOfMemory(device, "a block", bytes, a.arena.stats().live, a.limit);
  if (a.noting) a.noting->add(offset, round_up(bytes));
  void* const block = a.block(offset, bytes);
  if (!a.memory.allocate_block) poison(device, block, round_up(bytes), true);
  poison(device, block, bytes, false);
  return block;
}

void release(Device device, void* block) {
  DeviceArena& a = arena_of(device);
  const std::lock_guard lock(a.mutex);
  const int64_t bytes = a.release(block);
  if (!a.memory.allocate_block) poison(device, block, bytes, true);
}

void Footprint::note(const std::function<void()>& work) {
  DeviceArena& a = arena_of(device_);
  const auto set = [&](Footprint* noting) {
    const std::lock_guard lock(a.mutex);
    return std::exchange(a.noting, noting);
  };
  Footprint* const before = set(this);
  try {
    work();
  } catch (...) {
    set(before);
    throw;
  }
  set(before);
}

void Footprint::add(int64_t offset, int64_t bytes) {
  // Ranges that overlap or touch become one.
  auto next = ranges_.upper_bound(offset);
  if (next != ranges_.begin())
    if (const auto before = std::prev(next); before->first + before->second >= offset) next = before;
  int64_t beyond = offset + bytes;
  while (next != ranges_.end() && next->first <= beyond) {
    offset = std::min(offset, next->first);
    beyond = std::max(beyond, next->first + next->second);
    next = ranges_.erase(next);
  }
  ranges_.emplace(offset, beyond - offset);
}

bool Footprint::take() {
  if (taken_) return true;
  DeviceArena& a = arena_of(device_);
  if (a.memory.allocate_block) return false;  // blocks have no places to come back to
  const std::lock_guard lock(a.mutex);
  for (auto range = ranges_.begin(); range != ranges_.end(); ++range) {
    if (a.arena.allocate_at(range->first, range->second)) continue;
    while (range != ranges_.begin()) a.arena.release((--range)->first);
    return false;
  }
  for (const auto& [offset, bytes] : ranges_) poison(device_, a.base + offset, bytes, false);
  return taken_ = true;
}

void Footprint::give() {
  if (!std::exchange(taken_, false)) return;
  DeviceArena& a = arena_of(device_);
  const std::lock_guard lock(a.mutex);
  for (const auto& [offset, bytes] : ranges_) {
    a.arena.release(offset);
    poison(device_, a.base + offset, bytes, true);
  }
}

void Footprint::clear() {
  give();
  ranges_.clear();
}

MemoryStats memory_stats(Device device) {
  DeviceArena& a = arena_of(device);
  const std::lock_guard lock(a.mutex);
  return a.arena.stats();
}

int64_t memory_limit(Device device) { return arena_of(device).limit; }

void reset_peak_memory(Device device) {
  DeviceArena& a = arena_of(device);
  const std::lock_guard lock(a.mutex);
  a.arena.reset_peaks();
}

}  // namespace tensor
