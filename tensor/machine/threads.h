/// How many threads compute on the host.
#pragma once
#include <string>

namespace tensor {

/// CPUs that this process may use at once: its affinity mask, cut to its cgroup's quota; at least 1.
int available_cpus();

/// The quota in whole CPUs, rounded, at least 1; 0 when there is none. `folder` is where the cgroup is mounted, version
/// 2 (cpu.max: quota and period) or 1 (cpu/cpu.cfs_quota_us, cpu/cpu.cfs_period_us).
int cpu_quota(const std::string& folder = "/sys/fs/cgroup");

/// Threads of the cpu backend, by default available_cpus(). Results do not depend on it.
/// Throws Error unless `threads` is 1 to 1024.
void set_threads(int threads);
int threads();

}  // namespace tensor
