/// A libcudart for nvcc's objects: what is launched runs at once, on the executor, or is recorded while it is captured.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stack>
#include <utility>
#include <vector>

#include "tests/ptx/device.h"
#include "tests/ptx/memory.h"
#include "tests/ptx/stream.h"

namespace ptx {
namespace {

cudaError_t last_error = cudaSuccess;
cudaError_t fail(cudaError_t e) { return last_error = e; }

/// What is captured, null when nothing is; a call that a capture forbids spoils it.
using Graph = std::vector<std::function<void()>>;
Graph* captured = nullptr;
bool capture_spoiled = false;

cudaError_t forbidden_in_capture() {
  if (!captured) return cudaSuccess;
  capture_spoiled = true;
  return fail(cudaErrorStreamCaptureUnsupported);
}

/// Copies from page-locked memory that the device has not made yet: as late as a device may.
struct PendingCopy {
  void* to;
  const void* from;
  size_t bytes;
};
std::vector<PendingCopy> pending_copies;
std::vector<std::pair<const char*, size_t>> page_locked;
bool staged(const void* p) {
  return std::any_of(page_locked.begin(), page_locked.end(),
                     [&](const auto& b) { return p >= b.first && p < b.first + b.second; });
}
void make_pending_copies() {
  for (const PendingCopy& c : std::exchange(pending_copies, {})) {
    DeviceMemory::get().check_write(c.to, c.bytes);
    std::memcpy(c.to, c.from, c.bytes);
  }
}

LaunchOptions options() {
  // The variable that the tests set for the emulator.
  const char* const reverse = std::getenv("CRIS_EMULATOR_REVERSE");
  return {.descending = reverse && *reverse == '1', .count_memory = settings().count_memory};
}

struct Configuration {
  dim3 grid, block;
  size_t shared;
  void* stream;
};
std::stack<Configuration> configurations;

cudaError_t launch(const void* address, dim3 grid, dim3 block, void** arguments, size_t shared) {
  DeviceKernel* const found = find_kernel(address);
  if (!found) return fail(cudaErrorInvalidDeviceFunction);
  const uint64_t threads = uint64_t(block.x) * block.y * block.z;
  if (threads == 0 || threads > 1024 || grid.x == 0 || grid.y == 0 || grid.y > 65535 || grid.z == 0 || grid.z > 65535)
    return fail(cudaErrorInvalidConfiguration);
  if (shared > found->dynamic_shared_limit) return fail(cudaErrorInvalidValue);
  try {
    Kernel& kernel = ready(*found);
    enqueue([found, grid, block, shared, packed = pack_arguments(kernel, arguments)] {
      Tally& t = tally();
      ++t.launches;
      t.small_launches += uint64_t(grid.x) * grid.y * grid.z <= 4;
      Kernel& k = ready(*found);
      if (!settings().run) {
        ++k.counts.launches, k.counts.blocks += uint64_t(grid.x) * grid.y * grid.z;
        return;
      }
      run_grid(k, {grid.x, grid.y, grid.z}, {block.x, block.y, block.z}, packed, uint32_t(shared), options());
    });
  } catch (const std::runtime_error& e) {
    note_violation(e.what());
    return fail(cudaErrorLaunchFailure);
  }
  return last_error;
}

}  // namespace

void enqueue(std::function<void()> work) {
  if (captured) return captured->push_back(std::move(work));
  make_pending_copies();
  work();
}

void note_violation(const std::string& text) {
  ++tally().violations;
  tally().last_violation = text;
  if (settings().print) std::fprintf(stderr, "%s\n", text.c_str());
}

}  // namespace ptx

using namespace ptx;
extern "C" {

// ---- launches
// -----------------------------------------------------------------------------------------------------------
unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, struct CUstream_st* stream) {
  configurations.push({grid, block, shared, stream});
  return 0;
}
cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared, void* stream) {
  const Configuration c = configurations.top();
  configurations.pop();
  *grid = c.grid, *block = c.block, *shared = c.shared;
  *static_cast<void**>(stream) = c.stream;
  return cudaSuccess;
}
cudaError_t cudaLaunchKernel(const void* f, dim3 grid, dim3 block, void** arguments, size_t shared, cudaStream_t) {
  return launch(f, grid, block, arguments, shared);
}
// From CUDA 12.8 on stubs launch by a handle: here the same address.
cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* f) {
  *kernel = reinterpret_cast<cudaKernel_t>(const_cast<void*>(f));
  return cudaSuccess;
}
cudaError_t __cudaLaunchKernel(cudaKernel_t f, dim3 grid, dim3 block, void** arguments, size_t shared, cudaStream_t) {
  return launch(reinterpret_cast<const void*>(f), grid, block, arguments, shared);
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* a, const void* f) {
  *a = {};
  return find_kernel(f) ? cudaSuccess : fail(cudaErrorInvalidDeviceFunction);
}
cudaError_t cudaFuncSetAttribute(const void* f, cudaFuncAttribute attribute, int value) {
  DeviceKernel* const k = find_kernel(f);
  if (!k) return fail(cudaErrorInvalidDeviceFunction);
  if (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize) {
    if (value > 99 << 10) return fail(cudaErrorInvalidValue);  // what capability 8.6 has, the least from 8.0 on
    k->dynamic_shared_limit = uint32_t(value);
  }
  return cudaSuccess;
}

// ---- the device
// ---------------------------------------------------------------------------------------------------------
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
const char* cudaGetErrorString(cudaError_t e) {
  switch (e) {
    case cudaSuccess:
      return "no error";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorLaunchFailure:
      return tally().last_violation.c_str();
    case cudaErrorInvalidDeviceFunction:
      return "invalid device function";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    default:
      return "an error of the fake runtime";
  }
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  *p = {};
  std::snprintf(p->name, sizeof p->name, "PTX executor");
  p->totalGlobalMem = settings().memory;
  p->major = settings().major, p->minor = settings().minor;
  p->multiProcessorCount = 132;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* v) {
  *v = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* v) {
  *v = CUDART_VERSION;
  return cudaSuccess;
}

// ---- memory
// -------------------------------------------------------------------------------------------------------------
cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  *free_bytes = *total = settings().memory;
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** block, size_t bytes) {
  if (const cudaError_t e = forbidden_in_capture()) return e;
  *block = bytes > settings().memory ? nullptr : DeviceMemory::get().allocate(bytes);
  return *block ? cudaSuccess : fail(cudaErrorMemoryAllocation);
}
cudaError_t cudaFree(void* block) {
  if (const cudaError_t e = forbidden_in_capture()) return e;
  make_pending_copies();
  DeviceMemory::get().release(block);
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** block, size_t bytes, unsigned) {
  if (const cudaError_t e = forbidden_in_capture()) return e;
  *block = std::malloc(bytes);
  page_locked.emplace_back(static_cast<const char*>(*block), bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t) {
  // Memory that may be paged out is copied in step with the host, which a capture does not allow.
  if (kind != cudaMemcpyDeviceToDevice && !staged(from) && !staged(to))
    if (const cudaError_t e = forbidden_in_capture()) return e;
  if (bytes == 0) return cudaSuccess;
  try {
    if (kind == cudaMemcpyHostToDevice && staged(from) && !captured) {
      pending_copies.push_back({to, from, bytes});
      return cudaSuccess;
    }
    enqueue([=] {
      DeviceMemory& memory = DeviceMemory::get();
      if (memory.holds(from) && settings().run) memory.check_read(from, bytes);
      if (memory.holds(to)) memory.check_write(to, bytes);
      std::memcpy(to, from, bytes);
    });
  } catch (const std::runtime_error& e) {
    note_violation(std::string("cudaMemcpyAsync: ") + e.what());
    return fail(cudaErrorLaunchFailure);
  }
  return cudaSuccess;
}

// ---- the stream, events and graphs
// --------------------------------------------------------------------------------------
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned) {
  *s = nullptr;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) {
  if (const cudaError_t e = forbidden_in_capture()) return e;
  make_pending_copies();
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) {
  *e = nullptr;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaStreamSynchronize(nullptr); }
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return cudaSuccess; }

cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) {
  if (captured) return fail(cudaErrorStreamCaptureUnsupported);
  captured = new Graph;
  capture_spoiled = false;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
  *graph = reinterpret_cast<cudaGraph_t>(std::exchange(captured, nullptr));
  if (!capture_spoiled) return cudaSuccess;
  delete reinterpret_cast<Graph*>(std::exchange(*graph, nullptr));
  return fail(cudaErrorStreamCaptureInvalidated);
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* runnable, cudaGraph_t graph, unsigned long long) {
  *runnable = reinterpret_cast<cudaGraphExec_t>(new Graph(*reinterpret_cast<Graph*>(graph)));
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete reinterpret_cast<Graph*>(graph);
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t runnable) {
  delete reinterpret_cast<Graph*>(runnable);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t runnable, cudaStream_t) {
  ++tally().graph_launches;
  try {
    make_pending_copies();
    for (const auto& work : *reinterpret_cast<Graph*>(runnable)) work();
  } catch (const std::runtime_error& e) {
    note_violation(e.what());
    return fail(cudaErrorLaunchFailure);
  }
  return cudaSuccess;
}

}  // extern "C"
