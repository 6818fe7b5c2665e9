#include "tests/ptx/memory.h"

#include <fmt/format.h>
#include <sys/mman.h>

namespace ptx {

DeviceMemory& DeviceMemory::get() {
  static DeviceMemory the_one;
  return the_one;
}

/// Pages come when they are touched, zeros: kFree.
DeviceMemory::DeviceMemory() {
  void* const p = mmap(nullptr, 2 * kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::runtime_error("ptx: no room for the device's addresses; raise ulimit -v");
  base_ = end_ = reinterpret_cast<uint64_t>(p);
  to_state_ = int64_t(kBytes);
}

void* DeviceMemory::allocate(size_t bytes) {
  const size_t rounded = (bytes + 255) / 256 * 256 + 256;  // a gap that nothing may touch
  uint64_t at = end_;
  if (const auto fit = spare_.lower_bound(rounded); fit != spare_.end() && fit->first == rounded) {
    at = fit->second;
    spare_.erase(fit);
  } else {
    if (rounded > base_ + kBytes - end_) return nullptr;
    end_ += rounded;
  }
  blocks_[at] = bytes;
  if (bytes < size_t(64) << 20) std::memset(state(at), kLive, bytes);
  return reinterpret_cast<void*>(at);
}

void DeviceMemory::release(void* block) {
  const auto at = blocks_.find(reinterpret_cast<uint64_t>(block));
  if (at == blocks_.end()) return;
  std::memset(state(at->first), kFree, at->second);
  spare_.emplace((at->second + 255) / 256 * 256 + 256, at->first);
  blocks_.erase(at);
}

void DeviceMemory::set_live(const void* block, size_t bytes, bool live) {
  std::memset(state(reinterpret_cast<uint64_t>(block)), live ? kLive : kFree, bytes);
}

void DeviceMemory::check_read(const void* from, size_t bytes) const {
  const uint64_t address = reinterpret_cast<uint64_t>(from);
  if (!holds(from)) refuse_place(address, int(bytes));
  size_t unwritten = 0;
  for (size_t i = 0; i < bytes; ++i) {
    if (*state(address + i) == kFree) refuse_read(address + i, 1);
    unwritten += *state(address + i) != kWritten;
  }
  if (unwritten) throw Violation(fmt::format("{} of {} bytes read at once were never written", unwritten, bytes));
}

void DeviceMemory::check_write(void* to, size_t bytes) {
  const uint64_t address = reinterpret_cast<uint64_t>(to);
  if (!holds(to)) refuse_place(address, int(bytes));
  for (size_t i = 0; i < bytes; ++i)
    if (*state(address + i) == kFree) refuse_write(address + i, 1);
  std::memset(state(address), kWritten, bytes);
}

void DeviceMemory::refuse_place(uint64_t address, int size) const {
  if (address - base_ >= kBytes)
    throw Violation(fmt::format("{} bytes at {:#x}, which is no address of the device", size, address));
  throw Violation(fmt::format("{} bytes at {:#x}, which is not aligned to them", size, address));
}
void DeviceMemory::refuse_read(uint64_t address, int size) const {
  for (int i = 0; i < size; ++i)
    if (*state(address + uint64_t(i)) == kFree)
      throw Violation(fmt::format("reads {} bytes at {:#x}, outside every live tensor", size, address));
  throw Violation(fmt::format("reads {} bytes at {:#x} that nothing has written", size, address));
}
void DeviceMemory::refuse_write(uint64_t address, int size) const {
  throw Violation(fmt::format("writes {} bytes at {:#x}, outside every live tensor", size, address));
}

void SharedMemory::start(uint32_t bytes) {
  size_ = bytes;
  const size_t rounded = (bytes + 15) / 16 * 16;
  if (bytes_.size() < rounded) bytes_.resize(rounded), state_.resize(rounded), words_.resize(rounded / 4);
  std::memset(state_.data(), kUnwritten, rounded);
  ++epoch_;
}

void SharedMemory::mark(uint32_t address, uint32_t size, int warp, uint8_t state) {
  for (uint32_t w = address / 4; w <= (address + size - 1) / 4; ++w) note_write(words_[w], w, warp);
  for (uint32_t i = 0; i < size; ++i)
    if (state_[address + i] == kAwaited)
      throw Violation(fmt::format("writes to shared byte {} while a copy to it is under way", address + i));
  std::memset(state_.data() + address, state, size);
}

void SharedMemory::finish_copy(uint32_t address, int warp) {
  for (uint32_t w = address / 4; w < address / 4 + 4; ++w) {
    words_[w].write_epoch = epoch_;
    words_[w].writer = uint16_t(warp);
  }
  std::memset(state_.data() + address, kWritten, 16);
}

void SharedMemory::refuse_place(uint32_t address, uint32_t size) const {
  if (address % size != 0)
    throw Violation(fmt::format("{} bytes at shared byte {}, which is not aligned to them", size, address));
  throw Violation(fmt::format("{} bytes at shared byte {} of {}", size, address, size_));
}
void SharedMemory::refuse_read(uint32_t address) const {
  throw Violation(
      fmt::format("reads shared byte {}{}", address,
                  state_[address] == kAwaited ? " while a copy to it is under way" : ", which nothing has written"));
}
void SharedMemory::refuse_race(uint32_t word, int other, int warp, const char* does) {
  const std::string whose = other == kSeveral ? "several warps have" : fmt::format("warp {} has", other);
  throw Violation(fmt::format("warp {} {} {} touched since the last barrier, shared word {}", warp, does, whose, word));
}

}  // namespace ptx
