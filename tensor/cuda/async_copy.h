/// Copies from global to shared memory that a thread starts and later waits for (cp.async, from compute
/// capability 8.0).
#pragma once
#include <cuda_runtime.h>

namespace tensor::cuda {

#ifdef __CUDACC__
/// Starts copying 16 bytes, both addresses aligned to 16; zeros when not `valid`, and `from` is then not read.
__device__ __forceinline__ void copy_16_bytes_async(void* shared, const void* from, bool valid) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  const unsigned to = unsigned(__cvta_generic_to_shared(shared));
  const int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
#endif
}
/// Ends a group of copies.
__device__ __forceinline__ void commit_copies() {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
/// Waits until all of this thread's groups but the last kPending have arrived.
template <int kPending>
__device__ __forceinline__ void wait_for_copies() {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#endif
}
#else
inline void copy_16_bytes_async(void* shared, const void* from, bool valid) {
  cuda_emulator::start_copy(shared, valid ? from : nullptr, 16);
}
inline void commit_copies() { cuda_emulator::commit_copies(); }
template <int kPending>
void wait_for_copies() {
  cuda_emulator::wait_for_copies(kPending);
}
#endif

}  // namespace tensor::cuda
