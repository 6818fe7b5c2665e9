/// Two page-locked buffers in turn: one is filled while the device reads the other.
#include "tensor/cuda/staging.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "tensor/cuda/runtime.h"

namespace tensor::cuda {
namespace {

class Staging {
 public:
  Staging() {
    for (Buffer& b : buffers_) {
      check_cuda(cudaHostAlloc(&b.memory, kBytes, cudaHostAllocDefault), "cudaHostAlloc of a staging buffer");
      check_cuda(cudaEventCreateWithFlags(&b.read, cudaEventDisableTiming), "cudaEventCreate");
    }
  }
  void copy(char* to, const char* from, int64_t bytes) {
    const std::lock_guard lock(mutex_);
    for (int64_t at = 0; at < bytes; at += kBytes) {
      Buffer& b = buffers_[next_];
      next_ = 1 - next_;
      const size_t count = size_t(std::min(bytes - at, kBytes));
      // An event that was never recorded counts as reached.
      check_cuda(cudaEventSynchronize(b.read), "cudaEventSynchronize");
      std::memcpy(b.memory, from + at, count);
      check_cuda(cudaMemcpyAsync(to + at, b.memory, count, cudaMemcpyHostToDevice, stream()), "cudaMemcpyAsync");
      check_cuda(cudaEventRecord(b.read, stream()), "cudaEventRecord");
    }
  }

 private:
  // A batch of 4 images of 256 x 256 takes 3 MiB.
  static constexpr int64_t kBytes = int64_t(8) << 20;
  struct Buffer {
    char* memory = nullptr;
    cudaEvent_t read{};
  };
  Buffer buffers_[2];
  int next_ = 0;
  std::mutex mutex_;
};

}  // namespace

void copy_from_host(void* to, const void* from, int64_t bytes) {
  // Never destroyed: the driver may be gone by then.
  static Staging& staging = *new Staging;
  staging.copy(static_cast<char*>(to), static_cast<const char*>(from), bytes);
}

}  // namespace tensor::cuda
