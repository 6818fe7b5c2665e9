/// From a run-time element type to a compile-time one, integers included.
#pragma once
#include "tensor/tensor.h"

namespace tensor {

/// Calls f.template operator()<T>() with T = float, double, int32_t or uint8_t. Throws for other types, naming `what`.
template <class F>
void visit_number(DType t, const char* what, F&& f) {
  switch (t) {
    case DType::f32:
      return f.template operator()<float>();
    case DType::f64:
      return f.template operator()<double>();
    case DType::i32:
      return f.template operator()<int32_t>();
    case DType::u8:
      return f.template operator()<uint8_t>();
    case DType::bf16:
      break;
  }
  check(false, "{}: needs f32, f64, i32 or u8, not {}, which only cuda computes with", what, name(t));
}

}  // namespace tensor
