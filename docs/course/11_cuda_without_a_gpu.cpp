/// Chapter 11: a CUDA kernel on a machine without a GPU, and the barrier that it must not lack.
#include <cuda_runtime.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <vector>

namespace {

constexpr int kThreads = 64;

/// Each block of 64 threads adds up 64 numbers in shared memory, halving the distance each time.
template <bool kBarrier>
__global__ void block_sum(const float* x, float* y) {
  __shared__ float partial[kThreads];
  const unsigned t = threadIdx.x;
  partial[t] = x[blockIdx.x * kThreads + t];
  __syncthreads();
  for (unsigned distance = kThreads / 2; distance > 0; distance /= 2) {
    if (t < distance) partial[t] += partial[t + distance];
    if (kBarrier) __syncthreads();
  }
  if (t == 0) y[blockIdx.x] = partial[0];
}

/// The same within a warp of 32: lanes read each other's registers, and shared memory is not needed.
__global__ void warp_sum(const float* x, float* y) {
  float v = x[blockIdx.x * 32 + threadIdx.x];
  for (int distance = 16; distance > 0; distance /= 2) v += __shfl_down_sync(~0u, v, distance);
  if (threadIdx.x == 0) y[blockIdx.x] = v;
}

/// Some threads of the block never come to the barrier.
__global__ void half_waits() {
  if (threadIdx.x < kThreads / 2) __syncthreads();
}

template <class Kernel>
void show(const char* name, int blocks, int threads, Kernel kernel) {
  std::vector<float> x(256);
  for (size_t i = 0; i < x.size(); ++i) x[i] = float(i);
  for (const bool reverse : {false, true}) {
    if (reverse) setenv("CRIS_EMULATOR_REVERSE", "1", 1);
    std::vector<float> y(blocks);
    cuda_emulator::run_grid(blocks, threads, [&] { kernel(x.data(), y.data()); });
    unsetenv("CRIS_EMULATOR_REVERSE");
    fmt::print("{:<22} threads {}: {}\n", name, reverse ? "descending" : "ascending ", fmt::join(y, " "));
  }
}

}  // namespace

int main() {
  show("block_sum", 4, kThreads, block_sum<true>);
  show("block_sum, no barrier", 4, kThreads, block_sum<false>);
  show("warp_sum", 8, 32, warp_sum);
  try {
    cuda_emulator::run_grid(1, kThreads, half_waits);
  } catch (const std::exception& e) {
    fmt::print("\nhalf_waits: {}\n", e.what());
  }
}
