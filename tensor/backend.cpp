/// Which backend serves a device, and the process-wide settings of all of them.
#include "tensor/backend.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

namespace tensor {
namespace {

/// CPUs this process may use at once: its affinity mask, cut to its cgroup's quota.
int available_threads() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  int n = sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 1;
  std::string quota;
  double period = 0;
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> quota >> period && quota != "max" && period > 0)
    n = std::min(n, std::max(1, int(std::stod(quota) / period + 0.5)));
  return std::max(n, 1);
}

Precision current_precision = Precision::f32;
int current_threads = 0;

}  // namespace

AdamFactors adam_factors(const AdamStep& s) {
  return {s.learning_rate / (1 - std::pow(s.beta1, double(s.step))),
          1 / std::sqrt(1 - std::pow(s.beta2, double(s.step)))};
}

std::unique_ptr<Recording> Backend::record(const StepNumbers&, const std::function<void()>&) {
  throw Error("record: this device cannot record kernels");
}

Backend& backend(Device device) {
  switch (device) {
    case Device::reference:
      return reference_backend();
    case Device::cpu:
      return cpu_backend();
    case Device::cuda:
      return cuda_backend();
    case Device::plan:
      return plan_backend();
  }
  throw Error("backend: unknown device");
}

void set_precision(Precision p) { current_precision = p; }
Precision precision() { return current_precision; }

void set_threads(int threads) {
  check(threads >= 1 && threads <= 1024, "threads: {} is not between 1 and 1024", threads);
  current_threads = threads;
}
int threads() {
  if (current_threads == 0) set_threads(available_threads());
  return current_threads;
}

}  // namespace tensor
