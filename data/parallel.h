/// Independent work on several threads: results land by index, so they do not depend on the number of threads.
#pragma once
#include <cstdint>
#include <functional>

namespace data {

/// False where the system allows this process no more threads. Everything here then works without.
bool can_start_thread();

/// Calls work(i) for every i in [0, count), on up to `threads` threads (0: tensor::available_cpus()). When calls throw,
/// the exception of the lowest i that threw is rethrown once all threads are done; later indices may have been skipped.
void for_each_index(int64_t count, int threads, const std::function<void(int64_t)>& work);

}  // namespace data
