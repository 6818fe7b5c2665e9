/// How many threads compute on the host.
#pragma once

namespace tensor {

/// CPUs that this process may use at once: its affinity mask, cut to its cgroup's quota; at least 1.
int available_cpus();

/// Threads of the cpu backend, by default available_cpus(). Results do not depend on it.
/// Throws Error unless `threads` is 1 to 1024.
void set_threads(int threads);
int threads();

}  // namespace tensor
