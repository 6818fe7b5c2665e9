/// Where a tensor lives and who computes on it.
#pragma once
#include "tensor/names.h"

namespace tensor {

/// reference: naive loops, the executable specification. cpu: the same memory, fast kernels. cuda: the GPU.
/// plan: no memory and no arithmetic; runs a program to learn its peak memory and its operation count before anything
/// runs.
enum class Device { reference, cpu, cuda, plan };

constexpr auto names(Device) { return Names{"device", {"reference", "cpu", "cuda", "plan"}}; }

}  // namespace tensor
