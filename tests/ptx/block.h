/// A block of threads while it runs.
#pragma once
#include "tests/ptx/kernel.h"
#include "tests/ptx/memory.h"

namespace ptx {

struct Block {
  Kernel& kernel;
  LaunchOptions options;
  std::vector<uint8_t> parameters;
  SharedMemory shared;
  Extent grid, size, index;

  Block(Kernel& k, const LaunchOptions& o) : kernel(k), options(o) {}
  /// Runs all threads of the block at `index`.
  void run();

 private:
  void start(Warp& w, int number, uint32_t threads);
  /// Runs the warp to its next barrier or to its end; false at the end.
  bool run_warp(Warp& w);
};

/// Throws Violation unless every lane that lives takes part, as an `.aligned` instruction asks.
inline void need_all_lanes(const Warp& w, const char* what) {
  if (w.active != w.living) throw Violation(std::string(what) + " is reached by a part of the warp's lanes");
}

/// Makes the warp's committed copies, all but the last `pending` groups.
void wait_for_copies(Warp& w, size_t pending);

}  // namespace ptx
