/// How f32 networks compute.
#pragma once

namespace tensor {

/// exact: direct sums only. f32: f32 arithmetic, Winograd allowed. tf32: tensor cores. bf16: tensor cores, and
/// activations kept as bf16 (both cuda only).
enum class Precision { exact, f32, tf32, bf16 };
constexpr const char* name(Precision p) {
  switch (p) {
    case Precision::exact:
      return "exact";
    case Precision::f32:
      return "f32";
    case Precision::tf32:
      return "tf32";
    case Precision::bf16:
      return "bf16";
  }
  return "?";
}

/// Process-wide; set before work starts.
void set_precision(Precision p);
Precision precision();

}  // namespace tensor
