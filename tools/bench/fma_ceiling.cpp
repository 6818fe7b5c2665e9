/// A loop of multiply-adds, compiled for this machine's instructions.
#include "tools/bench/fma_ceiling.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <vector>

#include "tensor/machine/parallel.h"
#include "tensor/machine/threads.h"

namespace tools {

double fma_ceiling() {
  constexpr int64_t kRounds = 20'000'000;
  constexpr int kChains = 12, kLanes = 16;
  using Clock = std::chrono::steady_clock;
  using Lanes = float __attribute__((vector_size(4 * kLanes)));
  std::vector<double> sinks(size_t(tensor::threads()));
  double seconds = 1e300;
  for (int round = 0; round < 3; ++round) {
    const Clock::time_point start = Clock::now();
    tensor::parallel_chunks(int64_t(sinks.size()), [&](int64_t t) {
      Lanes y[kChains];
      // Each chain starts elsewhere: equal chains would be computed once.
      for (int i = 0; i < kChains; ++i) y[i] = Lanes{} + float(t + i);
      const Lanes a = Lanes{} + 0.999f, b = Lanes{} + 0.001f;
      for (int64_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
        for (Lanes& v : y) v = v * a + b;
      }
      for (const Lanes& v : y) sinks[size_t(t)] += double(v[0]);
    });
    seconds = std::min(seconds, std::chrono::duration<double>(Clock::now() - start).count());
  }
  // The sums keep the loop alive; they are finite, so adding none of them changes nothing.
  return 2.0 * kLanes * kChains * double(kRounds) * double(sinks.size()) / seconds +
         0 * std::accumulate(sinks.begin(), sinks.end(), 0.0);
}

}  // namespace tools
