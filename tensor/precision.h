/// How f32 networks compute.
#pragma once
#include "tensor/names.h"

namespace tensor {

/// exact: direct sums only. f32: f32 arithmetic, Winograd allowed. tf32: tensor cores. bf16: tensor cores, and
/// activations kept as bf16 (both cuda only).
enum class Precision { exact, f32, tf32, bf16 };
constexpr auto names(Precision) { return Names{"precision", {"exact", "f32", "tf32", "bf16"}}; }
constexpr bool needs_cuda(Precision p) { return p == Precision::tf32 || p == Precision::bf16; }

/// Process-wide; set before work starts.
void set_precision(Precision p);
Precision precision();

}  // namespace tensor
