/// The device's memory: which bytes belong to a live tensor, and which of them anything has written.
///
/// One region of the address space holds all of it, and a byte of state beside each byte. Addresses of shared and local
/// memory as generic pointers lie in windows of their own, above every address of the host.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>

#include "tests/ptx/warp.h"

namespace ptx {

constexpr int kWindowShift = 56;
enum class Window : uint64_t { global = 0, shared = 1, local = 2 };

class DeviceMemory {
 public:
  /// States of a byte; `written` and `live` are bits, since what is written is live.
  static constexpr uint8_t kFree = 0, kLive = 1, kWritten = 3;

  static DeviceMemory& get();
  /// A block whose bytes are live and unwritten, or null. What is as large as an arena (from 64 MiB on) is not live
  /// yet: its blocks are told one by one by set_live.
  void* allocate(size_t bytes);
  void release(void* block);
  /// A block of an arena is handed out, or taken back.
  void set_live(const void* block, size_t bytes, bool live);
  bool holds(const void* p) const { return uint64_t(p) - base_ < kBytes; }

  /// Throw Violation: of a lane's access to kBytes at `address`, aligned to them.
  template <int kSize>
  void check_read(uint64_t address) const {
    check_place<kSize>(address);
    if (states<kSize>(address) != repeated<kSize>(kWritten)) refuse_read(address, kSize);
  }
  template <int kSize>
  void check_write(uint64_t address) {
    check_place<kSize>(address);
    if ((states<kSize>(address) & repeated<kSize>(kLive)) != repeated<kSize>(kLive)) refuse_write(address, kSize);
    std::memset(state(address), kWritten, kSize);
  }
  /// The same of a whole range, by a copy or a matrix product.
  void check_read(const void* from, size_t bytes) const;
  void check_write(void* to, size_t bytes);

 private:
  static constexpr uint64_t kBytes = uint64_t(32) << 30;
  DeviceMemory();
  uint64_t base_;
  int64_t to_state_;  ///< from an address to that of its state
  uint64_t end_;      ///< beyond it nothing was ever allocated
  std::map<uint64_t, size_t> blocks_;
  std::multimap<size_t, uint64_t> spare_;

  uint8_t* state(uint64_t address) const { return reinterpret_cast<uint8_t*>(address + uint64_t(to_state_)); }
  template <int kSize>
  using States =
      std::conditional_t<(kSize > 8), unsigned __int128,
                         std::conditional_t<(kSize > 4), uint64_t,
                                            std::conditional_t<(kSize > 2), uint32_t,
                                                               std::conditional_t<(kSize > 1), uint16_t, uint8_t>>>>;
  template <int kSize>
  States<kSize> states(uint64_t address) const {
    States<kSize> s;
    std::memcpy(&s, state(address), kSize);
    return s;
  }
  template <int kSize>
  static constexpr States<kSize> repeated(uint8_t value) {
    States<kSize> s = 0;
    for (int i = 0; i < kSize; ++i) s = States<kSize>(s | States<kSize>(value) << (8 * i));
    return s;
  }
  template <int kSize>
  void check_place(uint64_t address) const {
    if (address - base_ >= kBytes || address % kSize != 0) refuse_place(address, kSize);
  }
  [[noreturn]] void refuse_place(uint64_t address, int size) const;
  [[noreturn]] void refuse_read(uint64_t address, int size) const;
  [[noreturn]] void refuse_write(uint64_t address, int size) const;
};

/// A block's shared memory. Beside each word stand the warp that wrote it last and those that read it, with the number
/// of barriers passed by then: two warps that meet at a word without a barrier between are a violation.
class SharedMemory {
 public:
  /// All of it unwritten.
  void start(uint32_t bytes);
  void pass_barrier() { ++epoch_; }
  uint8_t* bytes() { return bytes_.data(); }
  uint32_t size() const { return size_; }
  template <int kSize>
  void check_read(uint32_t address, int warp) {
    check_place(address, kSize);
    for (uint32_t w = address / 4; w <= (address + kSize - 1) / 4; ++w) note_read(words_[w], w, warp);
    for (int i = 0; i < kSize; ++i)
      if (state_[address + uint32_t(i)] != kWritten) refuse_read(address + uint32_t(i));
  }
  template <int kSize>
  void check_write(uint32_t address, int warp) {
    check_place(address, kSize);
    mark(address, kSize, warp, kWritten);
  }
  /// A copy of 16 bytes to `address` is under way, or has arrived.
  void start_copy(uint32_t address, int warp) {
    check_place(address, 16);
    mark(address, 16, warp, kAwaited);
  }
  void finish_copy(uint32_t address, int warp);

 private:
  static constexpr uint8_t kUnwritten = 0, kAwaited = 1, kWritten = 2;
  static constexpr uint16_t kNobody = 0xffff, kSeveral = 0xfffe;
  struct WordState {
    uint32_t write_epoch = 0, read_epoch = 0;
    uint16_t writer = kNobody, reader = kNobody;
  };
  uint32_t size_ = 0, epoch_ = 1;
  std::vector<uint8_t> bytes_, state_;
  std::vector<WordState> words_;

  void check_place(uint32_t address, uint32_t size) const {
    if (address % size != 0 || uint64_t(address) + size > size_) refuse_place(address, size);
  }
  void note_read(WordState& s, uint32_t word, int warp) {
    if (s.write_epoch == epoch_ && s.writer != warp) refuse_race(word, s.writer, warp, "reads what");
    if (s.read_epoch != epoch_)
      s.read_epoch = epoch_, s.reader = uint16_t(warp);
    else if (s.reader != warp)
      s.reader = kSeveral;
  }
  void note_write(WordState& s, uint32_t word, int warp) {
    if (s.write_epoch == epoch_ && s.writer != warp) refuse_race(word, s.writer, warp, "writes what");
    if (s.read_epoch == epoch_ && s.reader != warp) refuse_race(word, s.reader, warp, "writes what, as a reader,");
    s.write_epoch = epoch_, s.writer = uint16_t(warp);
  }
  void mark(uint32_t address, uint32_t size, int warp, uint8_t state);
  [[noreturn]] void refuse_place(uint32_t address, uint32_t size) const;
  [[noreturn]] void refuse_read(uint32_t address) const;
  [[noreturn]] static void refuse_race(uint32_t word, int other, int warp, const char* does);
};

}  // namespace ptx
