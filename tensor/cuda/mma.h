/// Tensor-core steps of a warp, and how its lanes hand their results round: D[16,8] += A[16,k] B[k,8], sums in f32;
/// operands from shared memory, f32 rounded to TF32 (k = 8) or bf16 as it is (k = 16).
///
/// Lane l = 4 g + t holds D(g,2t) D(g,2t+1) D(g+8,2t) D(g+8,2t+1), and of the operands
/// TF32: A(g,t) A(g+8,t) A(g,t+4) A(g+8,t+4), B(t,g) B(t+4,g);
/// bf16: pairs along k: A(g,2t..) A(g+8,2t..) A(g,2t+8..) A(g+8,2t+8..), B(2t..,g) B(2t+8..,g), the lower k in the low
/// half. So an A of 16 rows and two Bs of 8 columns each are held alike: row g, row g + 8, and the same of the step's
/// second half. Source: PTX ISA, "Matrix Fragments for mma.m16n8k8" (.tf32), "for mma.m16n8k16" (.bf16), "ldmatrix".
/// Needs capability 8.0.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>

#include "tensor/bfloat16.h"

namespace tensor::cuda {

/// k of one step on numbers kept as T.
template <class T>
constexpr int kMmaDepth = 32 / int(sizeof(T));

#ifdef __CUDACC__

/// x with 10 bits of mantissa, ties away from zero.
__device__ __forceinline__ uint32_t to_tf32(float x) {
  uint32_t bits = math::to_bits(x);
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
#endif
  return bits;
}

/// Four 8 x 8 matrices of 16 bits. Lane l gives the address of row l mod 8 of matrix l / 8, 16 bytes; into register i
/// it receives elements 2t and 2t + 1 of matrix i's row g, or with kTransposed of its column g.
template <bool kTransposed>
__device__ __forceinline__ void load_matrices(uint32_t (&r)[4], const BFloat16* row) {
  const unsigned from = unsigned(__cvta_generic_to_shared(row));
  if constexpr (kTransposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(from)
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(from)
                 : "memory");
}

/// What lane `mine xor kMask` gives.
template <int kMask>
__device__ __forceinline__ uint32_t exchange(uint32_t given) {
  uint32_t got;
  asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, 0xffffffff;" : "=r"(got) : "r"(given), "n"(kMask));
  return got;
}

template <class T>
__device__ __forceinline__ void mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  if constexpr (kMmaDepth<T> == 8)
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

template <int kMask>
uint32_t exchange(uint32_t given) {
  return __shfl_xor_sync(0xffffffffu, given, kMask);
}

inline uint32_t to_tf32(float x) { return x != x ? 0x7fc00000u : (math::to_bits(x) + 0x1000u) & ~0x1fffu; }

template <bool kTransposed>
void load_matrices(uint32_t (&r)[4], const BFloat16* row) {
  const cuda_emulator::Lanes<const BFloat16*> rows(row);
  const int lane = int(threadIdx.x % 32), g = lane / 4, t = lane % 4;
  for (int i = 0; i < 4; ++i) {
    const auto element = [&](int k) { return kTransposed ? rows[8 * i + k][g] : rows[8 * i + g][k]; };
    r[i] = element(2 * t).bits | uint32_t(element(2 * t + 1).bits) << 16;
  }
}

template <class T>
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
    if constexpr (kMmaDepth<T> == 8) return math::from_bits(registers[k / 4 * stride]);
    const uint32_t pair = registers[k / 8 * stride];
    return math::from_bits(k % 2 ? pair & 0xffff0000u : pair << 16);
  };
  for (int i = 0; i < 4; ++i) {
    const int m = g + 8 * (i / 2), n = 2 * t + i % 2;
    for (int k = 0; k < kMmaDepth<T>; ++k) {
      const int column = kMmaDepth<T> == 8 ? k % 4 : k % 8 / 2;
      d[i] += value(lanes[4 * (m % 8) + column].a + m / 8, 2, k) * value(lanes[4 * n + column].b, 1, k);
    }
  }
}

#endif

/// The four lanes of a quad hold a row each, of four words; they come to hold a column each.
__device__ __forceinline__ void transpose_quad(uint32_t (&v)[4]) {
  const int t = int(threadIdx.x) % 4;
#pragma unroll
  for (int j = 0; j < 4; j += 2) {
    const uint32_t got = exchange<1>(t % 2 ? v[j] : v[j + 1]);
    (t % 2 ? v[j] : v[j + 1]) = got;
  }
#pragma unroll
  for (int j = 0; j < 2; ++j) {
    const uint32_t got = exchange<2>(t / 2 ? v[j] : v[j + 2]);
    (t / 2 ? v[j] : v[j + 2]) = got;
  }
}

}  // namespace tensor::cuda
