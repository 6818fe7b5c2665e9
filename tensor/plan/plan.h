/// The plan device: nothing is computed, only counted. Running a program on Device::plan tells its peak memory and its
/// arithmetic (plan_counts, tensor/dispatch.h).
#pragma once
#include "tensor/device.h"

namespace tensor {

/// Whose workspaces are planned from now on, by default the cpu's; returns the device before.
Device set_planned_device(Device device);

}  // namespace tensor
