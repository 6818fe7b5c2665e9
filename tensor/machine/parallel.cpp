/// The threads that help the caller with its chunks.
///
/// Nobody waits for a helper that has not come: helpers join open work, the caller works until no chunk is left, closes
/// the work and waits for those that are inside. So a helper that the system keeps from running, or puts on the
/// caller's own core, costs its share of the time, not a time slice at every barrier.
#include "tensor/machine/parallel.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "tensor/machine/threads.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace tensor {
namespace {

thread_local int index_here = 0;

/// How this thread rounds and treats denormals.
unsigned float_mode() {
#if defined(__SSE__)
  return _mm_getcsr();
#else
  return 0;
#endif
}
void set_float_mode([[maybe_unused]] unsigned mode) {
#if defined(__SSE__)
  _mm_setcsr(mode);
#endif
}

void relax() {
#if defined(__SSE__)
  _mm_pause();
#endif
}

/// Waits for `value` to be other than `old`: awake for as long as kernels follow each other, then asleep.
uint32_t wait_for_change(const std::atomic<uint32_t>& value, uint32_t old) {
  using Clock = std::chrono::steady_clock;
  constexpr auto kAwake = std::chrono::microseconds(200);  // giving way to other threads meanwhile costs a third
  for (const Clock::time_point start = Clock::now(); Clock::now() - start < kAwake;)
    for (int i = 0; i < 16; ++i) {
      const uint32_t now = value.load(std::memory_order_acquire);
      if (now != old) return now;
      relax();
    }
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

class ThreadPool {
 public:
  ~ThreadPool() {
    stop_ = true;
    ++round_;
    round_.notify_all();
    for (std::thread& t : helpers_) t.join();
  }

  /// False when the pool is at work: for another thread, or on the chunk that this call comes from.
  bool share(int members, int64_t chunks, void (*run)(const void*, int64_t), const void* work) {
    if (busy_.exchange(true)) return false;
    members = hire(members);
    run_ = run;
    work_ = work;
    members_ = members;
    mode_ = float_mode();
    chunks_ = chunks;
    next_ = 0;
    ++round_;  // odd: open
    round_.notify_all();
    take();
    ++round_;  // even: closed; whoever has not come in by now finds it so
    for (uint32_t inside; (inside = inside_.load()) != 0;) wait_for_change(inside_, inside);
    busy_ = false;
    return true;
  }

 private:
  /// Starts threads until `members`, the caller included, are there. Returns how many there are when the system
  /// refuses more.
  int hire(int members) {
    try {
      while (int(helpers_.size()) + 1 < members)
        helpers_.emplace_back([this, me = int(helpers_.size()) + 1, seen = round_.load()] { help(me, seen); });
    } catch (const std::system_error&) {
    }
    return std::min(members, int(helpers_.size()) + 1);
  }

  void help(int me, uint32_t seen) {
    index_here = me;
    for (;;) {
      seen = wait_for_change(round_, seen);
      if (stop_) return;
      if (seen % 2 == 0) continue;
      // The order of all these is one for all threads: either the caller sees this one inside, or this one sees that
      // the work is closed, and touches none of it.
      ++inside_;
      if (round_ == seen && me < members_) {
        set_float_mode(mode_);
        take();
      }
      if (--inside_ == 0) inside_.notify_one();
    }
  }

  /// Chunks in turn, whoever is free.
  void take() {
    for (int64_t c; (c = next_.fetch_add(1, std::memory_order_relaxed)) < chunks_;) run_(work_, c);
  }

  std::vector<std::thread> helpers_;
  void (*run_)(const void*, int64_t) = nullptr;
  const void* work_ = nullptr;
  int64_t chunks_ = 0;
  int members_ = 0;
  unsigned mode_ = 0;
  std::atomic<bool> busy_{false}, stop_{false};
  alignas(64) std::atomic<uint32_t> round_{0};
  alignas(64) std::atomic<uint32_t> inside_{0};
  alignas(64) std::atomic<int64_t> next_{0};
};

ThreadPool& pool() {
  static ThreadPool p;
  return p;
}

}  // namespace

int thread_index() { return index_here; }

void share_chunks(int64_t chunks, void (*run)(const void*, int64_t), const void* work) {
  const int members = int(std::min<int64_t>(threads(), chunks));
  const int index = std::exchange(index_here, 0);
  if (members < 2 || !pool().share(members, chunks, run, work))
    for (int64_t c = 0; c < chunks; ++c) run(work, c);
  index_here = index;
}

}  // namespace tensor
