/// How long a piece of work takes when nothing disturbs it.
#pragma once
#include <algorithm>
#include <chrono>

namespace tools {

/// Seconds of the shortest of `times` calls. Work on a device must end with its synchronize().
template <class F>
double shortest(int times, F&& f) {
  using Clock = std::chrono::steady_clock;
  double best = 1e300;
  for (int i = 0; i < times; ++i) {
    const Clock::time_point start = Clock::now();
    f();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

}  // namespace tools
