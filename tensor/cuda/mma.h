/// One tensor-core step of a warp: D[16,8] += A[16,8] B[8,8], operands in TF32, sums in f32.
///
/// Lane l = 4 g + t holds A(g,t) A(g+8,t) A(g,t+4) A(g+8,t+4), B(t,g) B(t+4,g), D(g,2t) D(g,2t+1) D(g+8,2t)
/// D(g+8,2t+1). Source: PTX ISA, "Matrix Fragments for mma.m16n8k8", .tf32.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>

#include "tensor/cuda/kernels.h"
#include "tensor/scalar_math.h"

namespace tensor::cuda {

/// x as a tensor core reads it: 10 bits of mantissa, ties away from zero; or 7 bits, ties to even.
template <MmaType kType>
__device__ __forceinline__ float round_operand(float x) {
  uint32_t bits = math::to_bits(x);
  if constexpr (kType == MmaType::tf32)
    bits = (bits + 0x1000u) & ~0x1fffu;
  else
    bits = (bits + 0x7fffu + (bits >> 16 & 1u)) & ~0xffffu;
  return math::from_bits(bits);
}

#ifdef __CUDACC__
// Volta's successors only: sm_75 has no TF32, so there the warp multiplies in plain f32, which is at least as exact.
__device__ __forceinline__ void mma_16x8x8(float (&d)[4], const float (&a)[4], const float (&b)[2]) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  const auto bits = [](float x) { return math::to_bits(x); };
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(bits(a[0])), "r"(bits(a[1])), "r"(bits(a[2])), "r"(bits(a[3])), "r"(bits(b[0])), "r"(bits(b[1])));
#else
  const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
  for (int k = 0; k < 8; ++k) {
    const float upper = __shfl_sync(~0u, k < 4 ? a[0] : a[2], 4 * g + k % 4);
    const float lower = __shfl_sync(~0u, k < 4 ? a[1] : a[3], 4 * g + k % 4);
    for (int i = 0; i < 2; ++i) {
      const float right = __shfl_sync(~0u, k < 4 ? b[0] : b[1], 4 * (2 * t + i) + k % 4);
      d[i] += upper * right;
      d[2 + i] += lower * right;
    }
  }
#endif
}
#else
inline void mma_16x8x8(float (&d)[4], const float (&a)[4], const float (&b)[2]) {
  struct Fragment {
    float a[4], b[2];
  };
  Fragment mine;
  std::memcpy(mine.a, a, sizeof a);
  std::memcpy(mine.b, b, sizeof b);
  Fragment warp[32];
  cuda_emulator::gather(mine, warp);
  const int lane = int(threadIdx.x % 32), g = lane / 4, t = lane % 4;
  for (int i = 0; i < 4; ++i) {
    const int m = g + 8 * (i / 2), n = 2 * t + i % 2;
    for (int k = 0; k < 8; ++k) d[i] += warp[4 * (m % 8) + k % 4].a[m / 8 + 2 * (k / 4)] * warp[4 * n + k % 4].b[k / 4];
  }
}
#endif

}  // namespace tensor::cuda
