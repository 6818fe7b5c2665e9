/// Affinity, quota and the process-wide number of threads.
#include "tensor/machine/threads.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "tensor/check.h"

namespace tensor {
namespace {

int current_threads = 0;

}  // namespace

int available_cpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  int n = sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 1;
  std::string quota;
  double period = 0;
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> quota >> period && quota != "max" && period > 0)
    n = std::min(n, std::max(1, int(std::stod(quota) / period + 0.5)));
  return std::max(n, 1);
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
