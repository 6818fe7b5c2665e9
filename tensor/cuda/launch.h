/// How kernels are launched, by nvcc's triple brackets or on the emulator, and the index arithmetic that they share.
#pragma once
#include <cstdint>

#include "tensor/cuda/stream.h"

namespace tensor::cuda {

#ifdef __CUDACC__
/// With `shared_bytes` of memory for dynamic_shared.
template <class... P, class... A>
void launch_with_shared(const char* name, void (*kernel)(P...), dim3 grid, dim3 block, int shared_bytes, A... args) {
  if (shared_bytes > 48 << 10) cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes);
  kernel<<<grid, block, shared_bytes, stream()>>>(args...);
  check_launch(name);
}
template <class T>
__device__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char memory[];
  return reinterpret_cast<T*>(memory);
}
#else
template <class... P, class... A>
void launch_with_shared(const char* name, void (*kernel)(P...), dim3 grid, dim3 block, int shared_bytes, A... args) {
  cuda_emulator::launch_grid(
      grid, block, [=] { kernel(args...); }, size_t(shared_bytes));
  check_launch(name);
}
template <class T>
T* dynamic_shared() {
  return reinterpret_cast<T*>(cuda_emulator::Block::active()->shared());
}
#endif

template <class... P, class... A>
void launch(const char* name, void (*kernel)(P...), dim3 grid, dim3 block, A... args) {
  launch_with_shared(name, kernel, grid, block, 0, args...);
}

constexpr int kThreads = 256;

/// Blocks for a loop over n elements that strides over the grid.
inline dim3 blocks_for(int64_t n) {
  const int64_t blocks = (n + kThreads - 1) / kThreads;
  return dim3(unsigned(blocks < 1 ? 1 : blocks > 16384 ? 16384 : blocks));
}

/// Calls f(i) for i in [0, n), split over the grid.
template <class F>
__device__ __forceinline__ void for_each(int64_t n, F f) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) f(i);
}

/// a b of float or double, rounded before anything is added to it: a compiler makes one fma of a product and a sum
/// where it may.
template <class T>
__device__ __forceinline__ T rounded_product(T a, T b) {
#ifdef __CUDA_ARCH__
  if constexpr (sizeof(T) == 4)
    return __fmul_rn(a, b);
  else
    return __dmul_rn(a, b);
#else
  return a * b;
#endif
}

struct Split {
  int64_t quotient, remainder;
};
/// i / d and i mod d; in 32 bits where both fit, since 64-bit division takes a GPU about a hundred instructions.
__device__ __forceinline__ Split split(int64_t i, int64_t d) {
  if (((i | d) >> 32) == 0) {
    const uint32_t q = uint32_t(i) / uint32_t(d);
    return {q, uint32_t(i) - q * uint32_t(d)};
  }
  return {i / d, i % d};
}

/// Coordinates of element i of an image batch [n, h, w, c].
struct Coordinates {
  int64_t n, h, w, c;
};
__device__ __forceinline__ Coordinates coordinates(int64_t i, int64_t h, int64_t w, int64_t c) {
  const Split channel = split(i, c), column = split(channel.quotient, w), row = split(column.quotient, h);
  return {row.quotient, row.remainder, column.remainder, channel.remainder};
}

}  // namespace tensor::cuda
