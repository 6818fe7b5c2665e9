/// Affinity, quota and the process-wide number of threads.
#include "tensor/machine/threads.h"

#include <sched.h>

#include <algorithm>
#include <fstream>

#include "tensor/check.h"

namespace tensor {
namespace {

int current_threads = 0;

}  // namespace

int available_cpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  const int allowed = sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 1, quota = cpu_quota();
  return std::max(1, quota > 0 ? std::min(allowed, quota) : allowed);
}

int cpu_quota(const std::string& folder) {
  // Without a quota version 2 says "max", which is not a number, and version 1 says -1.
  double quota = 0, period = 0;
  if (std::ifstream v2(folder + "/cpu.max"); !(v2 >> quota >> period)) {
    std::ifstream(folder + "/cpu/cpu.cfs_quota_us") >> quota;
    std::ifstream(folder + "/cpu/cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? std::max(1, int(quota / period + 0.5)) : 0;
}

void set_threads(int threads) {
  check(threads >= 1 && threads <= 1024, "threads: {} is not between 1 and 1024", threads);
  current_threads = threads;
}
int threads() {
  if (current_threads == 0) set_threads(available_cpus());
  return current_threads;
}

}  // namespace tensor
