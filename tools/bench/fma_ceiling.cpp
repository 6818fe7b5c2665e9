/// A loop of multiply-adds in the instructions of the cpu's kernels.
#include "tools/bench/fma_ceiling.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "tensor/cpu_kernels.h"
#include "tensor/machine/parallel.h"
#include "tensor/machine/threads.h"

namespace tools {

double fma_ceiling() {
  constexpr int64_t kRounds = 20'000'000;
  using Clock = std::chrono::steady_clock;
  const tensor::CpuKernels& kernels = tensor::cpu_kernels();
  const int64_t threads = tensor::threads();
  double seconds = 1e300;
  for (int round = 0; round < 3; ++round) {
    const Clock::time_point start = Clock::now();
    tensor::parallel_chunks(threads, [&](int64_t) { kernels.multiply_adds(kRounds); });
    seconds = std::min(seconds, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return 24.0 * kernels.lanes * double(kRounds) * double(threads) / seconds;
}

}  // namespace tools
