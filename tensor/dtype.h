/// Element types, their sizes, and the type that sums are kept in.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "tensor/bfloat16.h"
#include "tensor/names.h"

namespace tensor {

/// bf16 is for activations of Device::cuda: no other device computes with it.
enum class DType { f32, f64, bf16, i32, u8 };

constexpr size_t size_of(DType t) {
  switch (t) {
    case DType::f32:
      return 4;
    case DType::f64:
      return 8;
    case DType::bf16:
      return 2;
    case DType::i32:
      return 4;
    case DType::u8:
      return 1;
  }
  return 0;
}

constexpr auto names(DType) { return Names{"dtype", {"f32", "f64", "bf16", "i32", "u8"}}; }

/// The type that accumulates: beside activations of bf16, parameters, statistics and sums are f32; beside others they
/// are of the activations' own type `t`. It is dtype_of<Wide<T>>.
constexpr DType wide(DType t) { return t == DType::bf16 ? DType::f32 : t; }

template <class T>
constexpr DType dtype_of = [] {
  if constexpr (std::is_same_v<T, float>)
    return DType::f32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::f64;
  else if constexpr (std::is_same_v<T, BFloat16>)
    return DType::bf16;
  else if constexpr (std::is_same_v<T, int32_t>)
    return DType::i32;
  else {
    static_assert(std::is_same_v<T, uint8_t>, "no DType for this element type");
    return DType::u8;
  }
}();

}  // namespace tensor
