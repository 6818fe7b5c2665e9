/// Stands in for NVIDIA's cuda_runtime.h where there is no GPU: the device is this process, its memory the host's.
#pragma once
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "fibers.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __grid_constant__
// Blocks run one after another, so what is static is shared by one block at a time.
#define __shared__ static
#define __launch_bounds__(...)

#define threadIdx (cuda_emulator::Block::active()->current->index)
#define blockIdx (cuda_emulator::Block::active()->index)
#define blockDim (cuda_emulator::Block::active()->size)
#define gridDim (cuda_emulator::Block::active()->grid)

// ---- barriers and exchanges -----------------------------------------------------------------------------------------
inline void __syncthreads() { cuda_emulator::Block::active()->wait(cuda_emulator::State::at_block_barrier); }
inline void __syncwarp(unsigned = ~0u) { cuda_emulator::Block::active()->wait(cuda_emulator::State::at_warp_barrier); }

namespace cuda_emulator {

/// The value of lane `from(lane)` of this warp; its own where that is no lane.
template <class T, class From>
T exchange(T value, From from) {
  static_assert(sizeof(T) <= sizeof(Block::Slot));
  Block& b = *Block::active();
  const unsigned flat = b.current->flat, first = flat / kWarp * kWarp, lane = flat % kWarp, source = from(lane);
  std::memcpy(b.slots[flat].bytes, &value, sizeof value);
  __syncwarp();
  T received = value;
  if (source < kWarp) std::memcpy(&received, b.slots[first + source].bytes, sizeof received);
  __syncwarp();
  return received;
}

/// What every lane of this warp hands in, readable while it lives.
template <class T>
class Lanes {
 public:
  explicit Lanes(const T& mine) {
    static_assert(sizeof(T) <= sizeof(Block::Slot));
    Block& b = *Block::active();
    const unsigned flat = b.current->flat;
    first_ = &b.slots[flat / kWarp * kWarp];
    std::memcpy(b.slots[flat].bytes, &mine, sizeof mine);
    __syncwarp();
  }
  ~Lanes() { __syncwarp(); }
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;
  const T& operator[](int lane) const { return *reinterpret_cast<const T*>(first_[lane].bytes); }

 private:
  const Block::Slot* first_;
};

inline void make_copy(const Thread::Copy& c) {
  if (c.from)
    std::memcpy(c.to, c.from, c.bytes);
  else
    std::memset(c.to, 0, c.bytes);
}
/// A device makes an asynchronous copy at any moment until it is waited for: here as late as it may be, or, with
/// threads in descending order, at once.
inline void start_copy(void* to, const void* from, size_t bytes) {
  Block& b = *Block::active();
  if (b.reverse())
    make_copy({to, from, bytes});
  else
    b.current->copies.back().push_back({to, from, bytes});
}
inline void commit_copies() { Block::active()->current->copies.emplace_back(); }
/// Makes the copies of all committed groups but the last `pending`.
inline void wait_for_copies(size_t pending) {
  auto& groups = Block::active()->current->copies;
  while (groups.size() > pending + 1) {
    for (const auto& c : groups.front()) make_copy(c);
    groups.erase(groups.begin());
  }
}

}  // namespace cuda_emulator

template <class T>
T __shfl_down_sync(unsigned, T value, unsigned delta) {
  return cuda_emulator::exchange(value, [=](unsigned lane) { return lane + delta; });
}
template <class T>
T __shfl_xor_sync(unsigned, T value, unsigned mask) {
  return cuda_emulator::exchange(value, [=](unsigned lane) { return lane ^ mask; });
}

// ---- runtime --------------------------------------------------------------------------------------------------------
namespace cuda_emulator {

/// The machine that the runtime describes. Tests change it; for whole programs CRIS_EMULATOR_NO_DEVICE takes the device
/// away and CRIS_EMULATOR_MEMORY_MB sets its memory.
struct Machine {
  int devices = std::getenv("CRIS_EMULATOR_NO_DEVICE") ? 0 : 1;
  int driver = 13000, runtime = 13000, major = 9, minor = 0;
  size_t memory = (std::getenv("CRIS_EMULATOR_MEMORY_MB") ? std::stoul(std::getenv("CRIS_EMULATOR_MEMORY_MB")) : 8192)
                  << 20;
  int code_error = 0;  // what a build says that has no code for this device
};
inline Machine machine;

}  // namespace cuda_emulator

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorInvalidDeviceFunction = 98,
  cudaErrorNoDevice = 100,
  cudaErrorNoKernelImageForDevice = 209,
  cudaErrorUnsupportedPtxVersion = 222,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
using cudaStream_t = void*;
constexpr unsigned cudaStreamNonBlocking = 1;

struct cudaDeviceProp {
  char name[256] = "CUDA emulator (host fibers)";
  size_t totalGlobalMem = 0;
  int major = 0, minor = 0, multiProcessorCount = 1;
};

inline const char* cudaGetErrorString(cudaError_t e) {
  switch (e) {
    case cudaSuccess:
      return "no error";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorInvalidDeviceFunction:
      return "invalid device function";
    case cudaErrorUnsupportedPtxVersion:
      return "the provided PTX was compiled with an unsupported toolchain.";
    case cudaErrorNoKernelImageForDevice:
      return "no kernel image is available for execution on the device";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
      return "operation failed due to a previous error during capture";
  }
  return "unknown error";
}
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline cudaError_t cudaGetDeviceCount(int* count) {
  using cuda_emulator::machine;
  *count = machine.driver < machine.runtime ? 0 : machine.devices;
  return machine.driver < machine.runtime ? cudaErrorInsufficientDriver : *count ? cudaSuccess : cudaErrorNoDevice;
}
inline cudaError_t cudaSetDevice(int) { return cudaSuccess; }
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  *p = {};
  p->totalGlobalMem = cuda_emulator::machine.memory;
  p->major = cuda_emulator::machine.major;
  p->minor = cuda_emulator::machine.minor;
  return cudaSuccess;
}
struct cudaFuncAttributes {
  int numRegs = 0;
};
template <class Kernel>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes*, Kernel) {
  return cudaError_t(cuda_emulator::machine.code_error);
}
inline cudaError_t cudaDriverGetVersion(int* v) {
  *v = cuda_emulator::machine.driver;
  return cudaSuccess;
}
inline cudaError_t cudaRuntimeGetVersion(int* v) {
  *v = cuda_emulator::machine.runtime;
  return cudaSuccess;
}

// ---- the stream: work is done at once, or recorded while it is captured ---------------------------------------------
using cudaGraph_t = std::vector<std::function<void()>>*;
using cudaGraphExec_t = cudaGraph_t;

namespace cuda_emulator {

/// What is captured, null when nothing is; a call that a capture forbids spoils it.
inline cudaGraph_t captured = nullptr;
inline bool capture_spoiled = false;

inline cudaError_t forbidden_in_capture() {
  if (captured) capture_spoiled = true;
  return captured ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}
inline void enqueue(std::function<void()> work) {
  if (captured)
    captured->push_back(std::move(work));
  else
    work();
}

}  // namespace cuda_emulator

enum cudaStreamCaptureMode { cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal };
inline cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) {
  if (cuda_emulator::captured) return cudaErrorStreamCaptureUnsupported;
  cuda_emulator::captured = new std::vector<std::function<void()>>;
  cuda_emulator::capture_spoiled = false;
  return cudaSuccess;
}
inline cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
  *graph = std::exchange(cuda_emulator::captured, nullptr);
  if (!cuda_emulator::capture_spoiled) return cudaSuccess;
  delete std::exchange(*graph, nullptr);
  return cudaErrorStreamCaptureInvalidated;
}
inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t* runnable, cudaGraph_t graph, unsigned long long) {
  *runnable = new std::vector<std::function<void()>>(*graph);
  return cudaSuccess;
}
inline cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
inline cudaError_t cudaGraphExecDestroy(cudaGraphExec_t runnable) {
  delete runnable;
  return cudaSuccess;
}
inline cudaError_t cudaGraphLaunch(cudaGraphExec_t runnable, cudaStream_t) {
  for (const auto& work : *runnable) work();
  return cudaSuccess;
}

// ---- memory ---------------------------------------------------------------------------------------------------------
inline cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  *free_bytes = *total = cuda_emulator::machine.memory;
  return cudaSuccess;
}
namespace cuda_emulator {
inline std::map<void*, size_t> blocks;  // what cudaMalloc gave
}
template <class T>
cudaError_t cudaMalloc(T** block, size_t bytes) {
  *block = nullptr;
  if (const cudaError_t e = cuda_emulator::forbidden_in_capture()) return e;
  if (bytes > cuda_emulator::machine.memory) return cudaErrorMemoryAllocation;
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  *block = p == MAP_FAILED ? nullptr : static_cast<T*>(p);
  cuda_emulator::blocks[*block] = bytes;
  return *block ? cudaSuccess : cudaErrorMemoryAllocation;
}

template <class T>
cudaError_t cudaFree(T* block) {
  if (const cudaError_t e = cuda_emulator::forbidden_in_capture()) return e;
  if (const auto b = cuda_emulator::blocks.extract(block); !b.empty()) munmap(block, b.mapped());
  return cudaSuccess;
}

namespace cuda_emulator {

/// Copies from page-locked memory that the device has not made yet: as late as a device may, so that a buffer filled
/// again too early gives wrong numbers.
struct PendingCopy {
  void* to;
  const void* from;
  size_t bytes;
};
inline std::vector<PendingCopy> pending_copies;
inline std::vector<std::pair<const char*, size_t>> page_locked;
inline void make_pending_copies() {
  for (const PendingCopy& c : pending_copies) std::memcpy(c.to, c.from, c.bytes);
  pending_copies.clear();
}

}  // namespace cuda_emulator

constexpr unsigned cudaHostAllocDefault = 0, cudaEventDisableTiming = 2;
template <class T>
cudaError_t cudaHostAlloc(T** block, size_t bytes, unsigned) {
  if (const cudaError_t e = cuda_emulator::forbidden_in_capture()) return e;
  *block = static_cast<T*>(std::malloc(bytes));
  cuda_emulator::page_locked.emplace_back(reinterpret_cast<const char*>(*block), bytes);
  return cudaSuccess;
}
using cudaEvent_t = int;
inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) {
  *e = 0;
  return cudaSuccess;
}
inline cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
/// All that the stream holds is at least what came before the event.
inline cudaError_t cudaEventSynchronize(cudaEvent_t) {
  if (const cudaError_t e = cuda_emulator::forbidden_in_capture()) return e;
  cuda_emulator::make_pending_copies();
  return cudaSuccess;
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t) {
  using namespace cuda_emulator;
  const bool staged = std::any_of(page_locked.begin(), page_locked.end(), [&](const auto& block) {
    return from >= block.first && from < block.first + block.second;
  });
  // Memory that may be paged out is copied in step with the host, which a capture does not allow.
  if (kind != cudaMemcpyDeviceToDevice && !staged)
    if (const cudaError_t e = forbidden_in_capture()) return e;
  enqueue([=] {
    if (kind == cudaMemcpyHostToDevice && staged) return pending_copies.push_back({to, from, bytes});
    make_pending_copies();
    if (bytes) std::memcpy(to, from, bytes);
  });
  return cudaSuccess;
}
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned) {
  *s = nullptr;
  return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t) {
  if (const cudaError_t e = cuda_emulator::forbidden_in_capture()) return e;
  cuda_emulator::make_pending_copies();
  return cudaSuccess;
}

namespace cuda_emulator {

/// Runs kernel(args...) on every thread of every block, one block after another, after what the stream holds.
template <class Kernel>
void launch_grid(dim3 grid, dim3 block, Kernel kernel, size_t shared_bytes) {
  enqueue([=] {
    make_pending_copies();
    run_grid(grid, block, kernel, shared_bytes);
  });
}

}  // namespace cuda_emulator
