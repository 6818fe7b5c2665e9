/// Threads that take the next index from a counter. Threads of its own: the pool of tensor/machine/parallel.h belongs
/// to the thread that computes.
#include "data/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "tensor/machine/threads.h"

namespace data {

bool can_start_thread() {
  try {
    std::thread([] {}).join();
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void for_each_index(int64_t count, int threads, const std::function<void(int64_t)>& work) {
  const int64_t workers = std::min<int64_t>(count, threads > 0 ? threads : tensor::available_cpus());
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  int64_t failed_at = count;
  std::exception_ptr failure;
  const auto run = [&] {
    for (int64_t i; (i = next++) < count;) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < failed_at) {
          failed_at = i;
          failure = std::current_exception();
        }
        // Indices below i were taken already and still finish, so the lowest failure is the same for any number of
        // threads.
        next = count;
      }
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      for (int64_t t = 1; t < workers; ++t) others.emplace_back(run);
    } catch (const std::system_error&) {
      // The system allows no more of them (ulimit -u): fewer do the same.
    }
    run();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace data
