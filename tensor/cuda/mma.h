/// Tensor-core steps of a warp: D[16,8] += A[16,k] B[k,8], sums in f32; operands in TF32 (k = 8) or bf16 (k = 16).
///
/// Lane l = 4 g + t holds D(g,2t) D(g,2t+1) D(g+8,2t) D(g+8,2t+1), and of the operands
/// TF32: A(g,t) A(g+8,t) A(g,t+4) A(g+8,t+4), B(t,g) B(t+4,g);
/// bf16: pairs along k: A(g,2t..) A(g+8,2t..) A(g,2t+8..) A(g+8,2t+8..), B(2t..,g) B(2t+8..,g), the lower k in the low
/// half. Source: PTX ISA, "Matrix Fragments for mma.m16n8k8" (.tf32) and "for mma.m16n8k16" (.bf16). Needs
/// capability 8.0.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>

#include "tensor/cuda/kernels.h"
#include "tensor/scalar_math.h"

namespace tensor::cuda {

/// What a register of an operand holds.
template <MmaType kType>
struct MmaStep {
  static constexpr int kDepth = kType == MmaType::tf32 ? 8 : 16;
};

#ifdef __CUDACC__

/// x with 10 bits of mantissa, ties away from zero.
__device__ __forceinline__ uint32_t to_tf32(float x) {
  uint32_t bits = math::to_bits(x);
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
#endif
  return bits;
}

/// Two values with 7 bits of mantissa, ties to even.
__device__ __forceinline__ uint32_t to_bf16_pair(float low, float high) {
  uint32_t bits = 0;
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
#endif
  return bits;
}

template <MmaType kType>
__device__ __forceinline__ void mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  if constexpr (kType == MmaType::tf32)
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

#else

inline uint32_t to_tf32(float x) { return x != x ? 0x7fc00000u : (math::to_bits(x) + 0x1000u) & ~0x1fffu; }

inline uint32_t to_bf16_pair(float low, float high) {
  const auto rounded = [](float x) {
    const uint32_t bits = math::to_bits(x);
    return x != x ? 0x7fc0u : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  };
  return rounded(low) | rounded(high) << 16;
}

template <MmaType kType>
void mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  struct Operands {
    uint32_t a[4], b[2];
  };
  Operands mine;
  std::memcpy(mine.a, a, sizeof a);
  std::memcpy(mine.b, b, sizeof b);
  const cuda_emulator::Lanes<Operands> lanes(mine);
  const int lane = int(threadIdx.x % 32), g = lane / 4, t = lane % 4;
  // Operand (row or column, k) of the step: which lane holds it, in which register and half.
  const auto value = [](const uint32_t* registers, int stride, int k) {
    if constexpr (kType == MmaType::tf32) return math::from_bits(registers[k / 4 * stride]);
    const uint32_t pair = registers[k / 8 * stride];
    return math::from_bits(k % 2 ? pair & 0xffff0000u : pair << 16);
  };
  for (int i = 0; i < 4; ++i) {
    const int m = g + 8 * (i / 2), n = 2 * t + i % 2;
    for (int k = 0; k < MmaStep<kType>::kDepth; ++k) {
      const int column = kType == MmaType::tf32 ? k % 4 : k % 8 / 2;
      d[i] += value(lanes[4 * (m % 8) + column].a + m / 8, 2, k) * value(lanes[4 * n + column].b, 1, k);
    }
  }
}

#endif

}  // namespace tensor::cuda
