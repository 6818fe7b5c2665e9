/// The plan device: nothing is computed, only counted. Running a program on Device::plan tells its peak memory and its
/// arithmetic.
#pragma once
#include "tensor/backend.h"

namespace tensor {

/// Operations counted on Device::plan since the last reset.
struct PlanCounts {
  double flops = 0;  ///< multiplications and additions of convolutions and matrix products, padding counted
  double bytes = 0;  ///< bytes that kernels read and write, each argument once
};
PlanCounts plan_counts();
void reset_plan_counts();
/// Adds to the bytes: `run` (tensor/dispatch.h) calls it for every kernel.
void plan_bytes(double bytes);
/// Whose workspaces are planned from now on, by default the cpu's; returns the device before.
Device set_planned_device(Device device);

}  // namespace tensor
