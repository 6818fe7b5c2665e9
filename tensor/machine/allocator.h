/// One memory arena per device: best fit with coalescing, so a training step reuses its own pages, and the same
/// arithmetic without memory (Device::plan) predicts a program's peak to the byte.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "tensor/check.h"
#include "tensor/device.h"

namespace tensor {

/// Bytes of one device's arena. `peak` is the highest address ever used (fragmentation included): what the process
/// keeps resident. `live` is what tensors hold now, `peak_live` its maximum.
struct MemoryStats {
  int64_t live = 0, peak_live = 0, peak = 0;
};

/// Places blocks in [0, limit). Pure bookkeeping: it owns no memory. Placement depends on the calls alone.
class Arena {
 public:
  static constexpr int64_t kAlignment = 256;
  explicit Arena(int64_t limit) : limit_(limit) {}
  /// Offset of a block of at least `bytes`, the smallest free hole that fits (lowest address on ties); -1 if none is
  /// left.
  int64_t allocate(int64_t bytes);
  /// Makes a block of exactly [offset, offset + bytes), both multiples of the alignment; false when some of it is in
  /// use or beyond the limit.
  bool allocate_at(int64_t offset, int64_t bytes);
  /// Frees the block at `offset` and returns its bytes. Throws Error when none begins there.
  int64_t release(int64_t offset);
  const MemoryStats& stats() const { return stats_; }
  /// Forgets the peaks: peak_live becomes live, peak the end of the highest live block.
  void reset_peaks();

 private:
  int64_t limit_, end_ = 0;                        // [end_, limit_) has never been part of a block or is free again
  std::map<int64_t, int64_t> live_;                // offset -> bytes
  std::map<int64_t, int64_t> holes_;               // offset -> bytes, below end_, never adjacent
  std::set<std::pair<int64_t, int64_t>> by_size_;  // (bytes, offset) of holes_
  MemoryStats stats_;
  void add_hole(int64_t offset, int64_t bytes);
  void add_block(int64_t offset, int64_t bytes);
  void erase_hole(std::map<int64_t, int64_t>::iterator hole);
};

/// A device has no room for a block. Tensors name themselves in the message.
class OutOfMemory : public Error {
 public:
  OutOfMemory(Device device, const std::string& what, int64_t asked, int64_t live, int64_t limit);
  Device device;
  int64_t asked, live, limit;  ///< bytes: of the block, in use, of the whole arena
};

/// A block of `bytes` on `device`, aligned to 256 bytes. Throws OutOfMemory.
void* allocate(Device device, int64_t bytes);
/// Gives a block back to the arena. Its pages stay with the process for the next block.
void release(Device device, void* block);

/// Told that `bytes` from `block` on are now some tensor's (`live`) or nobody's, for what checks accesses tensor by
/// tensor. The end of a block that nobody asked for is nobody's. Blocks of their own (DeviceMemory::allocate_block) are
/// told of when they are made only; a footprint's ranges are told of as blocks are.
using BlockWatch = void (*)(Device device, void* block, int64_t bytes, bool live);
/// Set before anything is allocated.
void watch_blocks(BlockWatch watch);

/// The memory that some work passes through, noted while it runs and later kept free for it to run again.
/// One footprint of a device notes at a time.
class Footprint {
 public:
  explicit Footprint(Device device) : device_(device) {}
  ~Footprint() { give(); }
  Footprint(const Footprint&) = delete;
  Footprint& operator=(const Footprint&) = delete;
  /// Runs `work`; every block that it allocates belongs to the footprint from then on.
  void note(const std::function<void()>& work);
  /// Takes the whole footprint out of the arena, so that nobody else is given any of it; true when it is taken already.
  /// False, taking nothing, when some of it is in use.
  bool take();
  /// Gives it back to the arena until the next take().
  void give();
  /// Gives it back for good: nothing is noted any more.
  void clear();

 private:
  Device device_;
  std::map<int64_t, int64_t> ranges_;  // offset -> bytes, disjoint
  bool taken_ = false;
  friend void* allocate(Device device, int64_t bytes);
  void add(int64_t offset, int64_t bytes);
};

MemoryStats memory_stats(Device device);
/// Bytes that `device` has for tensors.
int64_t memory_limit(Device device);
void reset_peak_memory(Device device);

}  // namespace tensor
