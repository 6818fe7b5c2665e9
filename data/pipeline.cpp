/// One lock guards four counters; whoever is free takes the step that is nearest to the end.
#include "data/pipeline.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "tensor/machine/threads.h"

namespace data {

namespace {

class Running {
 public:
  Running(int64_t count, const Pipeline& steps)
      : steps_(steps), end_(count), read_(size_t(steps.ahead)), encoded_(size_t(steps.ahead)) {}

  int64_t run() {
    std::vector<std::jthread> others;
    const int threads = steps_.threads > 0 ? steps_.threads : tensor::available_cpus();
    try {
      for (int t = 0; t < threads; ++t) others.emplace_back([this] { work([] { return false; }); });
    } catch (const std::system_error&) {
      // The system allows no more threads: the caller's does all that these leave.
    }
    for (int64_t i = 0;; ++i) {
      // Until then the slot is that of an earlier item.
      work([&] { return i >= end_ || (i < written_ + steps_.ahead && read_[slot(i)]); });
      if (steps_.stop()) cut(i, nullptr);
      if (is_cut(i)) break;
      attempt(i, steps_.compute);
      const std::lock_guard lock(mutex_);
      computed_ = i + 1;
      changed_.notify_all();
    }
    work([] { return false; });
    others.clear();
    if (failure_) std::rethrow_exception(failure_);
    return written_;
  }

 private:
  const Pipeline& steps_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t end_, reading_ = 0, computed_ = 0, encoding_ = 0, written_ = 0;  // the next item of each step
  std::vector<char> read_, encoded_;                                       // of the items under way
  bool writing_ = false;
  std::exception_ptr failure_;

  size_t slot(int64_t i) const { return size_t(i % steps_.ahead); }
  /// Nothing of item i and of those behind it is written. Items only ever leave from the end, so the last failure that
  /// is kept is of the lowest.
  void cut(int64_t i, std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (i < end_) end_ = i, failure_ = std::move(failure);
    changed_.notify_all();
  }
  bool is_cut(int64_t i) {
    const std::lock_guard lock(mutex_);
    return i >= end_;
  }
  bool attempt(int64_t i, const std::function<void(int64_t)>& step) {
    try {
      step(i);
      return true;
    } catch (...) {
      cut(i, std::current_exception());
      return false;
    }
  }

  /// Reads, encodes and writes until `enough`, or all is written.
  template <class Enough>
  void work(const Enough& enough) {
    std::unique_lock lock(mutex_);
    const auto outside = [&](int64_t i, const std::function<void(int64_t)>& step) {
      lock.unlock();
      const bool done = attempt(i, step);
      lock.lock();
      changed_.notify_all();
      return done;
    };
    while (!enough() && written_ < end_) {
      if (!writing_ && encoded_[slot(written_)]) {
        writing_ = true;
        encoded_[slot(written_)] = read_[slot(written_)] = false;
        if (outside(written_, steps_.write)) ++written_;
        writing_ = false;
      } else if (encoding_ < computed_ && encoding_ < end_) {
        const int64_t i = encoding_++;
        encoded_[slot(i)] = outside(i, steps_.encode);
      } else if (reading_ < end_ && reading_ < written_ + steps_.ahead) {
        const int64_t i = reading_++;
        read_[slot(i)] = outside(i, steps_.read);
      } else {
        changed_.wait(lock);
      }
    }
  }
};

}  // namespace

int64_t run_pipeline(int64_t count, const Pipeline& steps) { return Running(count, steps).run(); }

}  // namespace data
