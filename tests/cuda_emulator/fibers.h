/// Runs the threads of one CUDA block as fibers on one host thread: a barrier switches to the next fiber.
///
/// Threads run in ascending or, with CRIS_EMULATOR_REVERSE set, in descending order between barriers, each warp as far
/// as it comes without the others, and so do blocks: a kernel that lacks a barrier, or adds up in the order in which
/// blocks come, gives two answers. A barrier that some thread of its block or warp can no longer reach throws.
#pragma once
#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};

namespace cuda_emulator {

constexpr unsigned kWarp = 32;

/// A block barrier that tests take out of every kernel, counted from 0 in each thread; -1: none.
inline int skipped_barrier = -1;

enum class State { waiting_to_start, ready, at_warp_barrier, at_block_barrier, done };

/// A stack that can be left and come back to. Jumps, unlike swapcontext, ask nothing of the kernel.
struct Stack {
  jmp_buf place;
  const void* base = nullptr;  // known to AddressSanitizer, which must be told of every switch
  size_t bytes = 0;
  void* shadow = nullptr;
};

/// A stack on which threads run one after another, until one of them must wait; then the stack is that thread's alone.
/// `begun`: it stands at the end of its last thread and can take the next.
struct Fiber : Stack {
  static constexpr size_t kStackBytes = 128 << 10;
  bool begun = false;
  ucontext_t context{};
  std::unique_ptr<char[]> memory{new char[kStackBytes]};
  Fiber() {
    base = memory.get();
    bytes = kStackBytes;
  }
};

inline void leave([[maybe_unused]] Stack& from, [[maybe_unused]] const Stack& to) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&from.shadow, to.base, to.bytes);
#endif
}
inline void arrive([[maybe_unused]] Stack& at, [[maybe_unused]] Stack& from) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(at.shadow, &from.base, &from.bytes);
#endif
}

struct Thread {
  dim3 index;
  unsigned flat = 0;
  State state = State::waiting_to_start;
  int barriers = 0;  // block barriers met so far
  // Copies under way, in groups.
  struct Copy {
    void* to;
    const void* from;  // null: zeros
    size_t bytes;
  };
  std::vector<std::vector<Copy>> copies{{}};
  Fiber* fiber = nullptr;
};

class Block {
 public:
  dim3 grid, size, index;
  Thread* current = nullptr;
  /// What lanes hand to each other: [warp][lane].
  struct Slot {
    alignas(16) unsigned char bytes[64];
  };
  std::vector<Slot> slots;

  static Block*& active() {
    static thread_local Block* block = nullptr;
    return block;
  }

  Block(dim3 grid_, dim3 size_, std::function<void()> body, bool reverse, size_t shared_bytes = 0)
      : grid(grid_), size(size_), body_(std::move(body)), reverse_(reverse), threads_(size_.x * size_.y * size_.z) {
    shared_.resize((shared_bytes + sizeof(Slot) - 1) / sizeof(Slot));
    slots.resize((threads_.size() + kWarp - 1) / kWarp * kWarp);
    for (unsigned t = 0; t < threads_.size(); ++t) {
      threads_[t].flat = t;
      threads_[t].index = dim3(t % size.x, t / size.x % size.y, t / (size.x * size.y));
    }
  }

  void run(dim3 block_index) {
    index = block_index;
    started_ = 0;
    idle_.clear();
    for (const auto& fiber : fibers()) idle_.push_back(fiber.get());
    for (Thread& t : threads_) t.state = State::waiting_to_start, t.barriers = 0, t.copies.assign(1, {});
    // NaN marks what no thread has written.
    if (!shared_.empty()) std::memset(shared_.data(), 0xff, shared_.size() * sizeof(Slot));
    Block* const outer = active();
    active() = this;
    for (size_t first = 0; first < threads_.size(); first = stop_) {
      stop_ = end_of_warp(first);
      while (started_ < stop_) start_fiber();
      run_warp(first, stop_);
    }
    while (release(0, threads_.size(), State::at_block_barrier))
      for (size_t first = 0, last; first < threads_.size(); first = last) {
        last = end_of_warp(first);
        resume(first, last);
        run_warp(first, last);
      }
    active() = outer;
    for (const Thread& t : threads_)
      if (t.state != State::done)
        throw std::logic_error("divergent barrier: thread " + std::to_string(t.flat) +
                               " waits for threads that have ended or wait elsewhere");
  }

  /// The block's dynamic shared memory.
  void* shared() { return shared_.data(); }
  bool reverse() const { return reverse_; }

  /// Called by the running thread: gives way until all of its warp or block are there.
  void wait(State barrier) {
    Thread* const self = current;
    if (barrier == State::at_block_barrier && self->barriers++ == skipped_barrier) return;
    self->state = barrier;
    self->fiber = running_;
    to_scheduler(*running_);
  }

 private:
  std::function<void()> body_;
  std::vector<Slot> shared_;
  bool reverse_;
  std::vector<Thread> threads_;
  size_t started_ = 0, stop_ = 0;  // in order: threads begun so far, and those that may begin now
  Stack scheduler_;
  Fiber* running_ = nullptr;
  std::vector<Fiber*> idle_;

  /// Kept from launch to launch: a stack costs more than most kernels.
  static std::vector<std::unique_ptr<Fiber>>& fibers() {
    static thread_local std::vector<std::unique_ptr<Fiber>> all;
    return all;
  }

  Thread& in_order(size_t i) { return threads_[reverse_ ? threads_.size() - 1 - i : i]; }

  /// A fiber lives from launch to launch, so it asks for its block each time.
  static void enter() {
    arrive(*active()->running_, active()->scheduler_);
    while (true) active()->run_threads();
  }

  void run_threads() {
    Fiber* const mine = running_;
    mine->begun = false;
    while (started_ < stop_) {
      current = &in_order(started_++);
      body_();
      current->state = State::done;
    }
    mine->begun = true;
    idle_.push_back(mine);
    to_scheduler(*mine);
  }

  /// Leaves the fiber; returns when a block, maybe another one than this, goes on with it.
  void to_scheduler(Fiber& fiber) {
    leave(fiber, scheduler_);
    if (_setjmp(fiber.place) == 0) _longjmp(scheduler_.place, 1);
    arrive(fiber, active()->scheduler_);
  }

  void to_fiber(Fiber& fiber, bool begun) {
    running_ = &fiber;
    leave(scheduler_, fiber);
    if (_setjmp(scheduler_.place) == 0) {
      if (begun) _longjmp(fiber.place, 1);
      getcontext(&fiber.context);
      fiber.context.uc_stack = {fiber.memory.get(), 0, Fiber::kStackBytes};
      fiber.context.uc_link = nullptr;
      makecontext(&fiber.context, &Block::enter, 0);
      setcontext(&fiber.context);
    }
    arrive(scheduler_, *running_);
  }

  void start_fiber() {
    if (idle_.empty()) {
      fibers().push_back(std::make_unique<Fiber>());
      idle_.push_back(fibers().back().get());
    }
    Fiber& fiber = *idle_.back();
    idle_.pop_back();
    to_fiber(fiber, fiber.begun);
  }

  /// The warp that begins with the first-th thread in order ends before the thread of this place.
  size_t end_of_warp(size_t first) {
    const unsigned warp = in_order(first).flat / kWarp;
    while (first < threads_.size() && in_order(first).flat / kWarp == warp) ++first;
    return first;
  }

  /// Goes on with those of the threads [first, last) in order that may.
  void resume(size_t first, size_t last) {
    for (size_t i = first; i < last; ++i)
      if (Thread& t = in_order(i); t.state == State::ready) {
        current = &t;
        to_fiber(*t.fiber, true);
      }
  }

  /// Readies the threads [first, last) in order if all have reached `barrier`.
  bool release(size_t first, size_t last, State barrier) {
    for (size_t i = first; i < last; ++i)
      if (in_order(i).state != barrier) return false;
    for (size_t i = first; i < last; ++i) in_order(i).state = State::ready;
    return true;
  }

  /// Runs a warp whose threads all have begun until it has ended or waits for its block.
  void run_warp(size_t first, size_t last) {
    while (release(first, last, State::at_warp_barrier)) resume(first, last);
  }
};

/// Runs kernel(args...) on every thread of every block, one block after another.
template <class Kernel>
void run_grid(dim3 grid, dim3 block, Kernel kernel, size_t shared_bytes = 0) {
  Block b(grid, block, kernel, std::getenv("CRIS_EMULATOR_REVERSE") != nullptr, shared_bytes);
  const size_t count = size_t(grid.x) * grid.y * grid.z;
  for (size_t i = 0; i < count; ++i) {
    const size_t at = b.reverse() ? count - 1 - i : i;
    b.run(dim3(unsigned(at % grid.x), unsigned(at / grid.x % grid.y), unsigned(at / grid.x / grid.y)));
  }
}

}  // namespace cuda_emulator
