/// bf16: the upper half of an f32, host and device.
#pragma once
#include <cstdint>
#include <type_traits>

#include "tensor/host_device.h"
#include "tensor/scalar_math.h"

namespace tensor {

/// f32's range with 8 bits of mantissa, for storage alone: it turns into f32 by itself, in which all arithmetic
/// happens, and is made from f32 by rounding to nearest, ties to even. NaN stays NaN.
struct BFloat16 {
  uint16_t bits;
  BFloat16() = default;
  HD explicit BFloat16(float x) : bits(rounded(x)) {}
  HD operator float() const { return math::from_bits(uint32_t(bits) << 16); }

 private:
  HD static uint16_t rounded(float x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    uint16_t y;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y) : "f"(x));
    return y;
#else
    const uint32_t bits = math::to_bits(x);
    return x != x ? uint16_t(0x7fc0) : uint16_t((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
#endif
  }
};

/// What numbers kept as T are computed in, and what their parameters, statistics and sums are kept in.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, BFloat16>, float, T>;

}  // namespace tensor
