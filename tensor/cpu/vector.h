/// Vectors of floats as wide as the machine the file is compiled for, in GCC's portable vector extension.
#pragma once
#include <cstdint>

/// Unrolls the fixed loops of a register tile; without it g++ moves the accumulators through the stack.
#define UNROLL _Pragma("GCC unroll 64")

namespace tensor::cpu {

#if defined(__AVX512F__)
constexpr int kLanes = 16, kVectorRegisters = 32;
#elif defined(__AVX__)
constexpr int kLanes = 8, kVectorRegisters = 16;
#else
constexpr int kLanes = 4, kVectorRegisters = 16;
#endif

typedef float Vec __attribute__((vector_size(4 * kLanes)));
typedef float UnalignedVec __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

inline Vec load(const float* p) { return *reinterpret_cast<const UnalignedVec*>(p); }
inline void store(float* p, Vec v) { *reinterpret_cast<UnalignedVec*>(p) = v; }
inline Vec splat(float x) { return Vec{} + x; }

/// Stores past the caches, for results that are larger than they are. p is aligned to a vector.
inline void store_past_caches(float* p, Vec v) {
#if defined(__clang__)
  __builtin_nontemporal_store(v, reinterpret_cast<Vec*>(p));
#elif defined(__AVX512F__)
  __builtin_ia32_movntps512(p, v);
#elif defined(__AVX__)
  __builtin_ia32_movntps256(p, v);
#elif defined(__SSE__)
  __builtin_ia32_movntps(p, v);
#else
  store(p, v);
#endif
}

/// max(v, 0); NaN stays NaN.
inline Vec relu(Vec v) { return v < Vec{} ? Vec{} : v; }

constexpr int64_t round_up(int64_t a, int64_t b) { return (a + b - 1) / b * b; }
constexpr int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace tensor::cpu
