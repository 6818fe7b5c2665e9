/// The plan device: nothing is computed, only counted. Running a program on Device::plan tells its peak memory and its
/// arithmetic (plan_counts, tensor/dispatch.h).
#pragma once
#include <optional>
#include <vector>

#include "tensor/conv_shape.h"
#include "tensor/device.h"
#include "tensor/dtype.h"

namespace tensor {

/// Whose workspaces are planned from now on, by default the cpu's; returns the device before.
Device set_planned_device(Device device);
/// What networks keep between their layers, for a device that is not here to be asked; nothing: the planned device
/// says. Returns what was set before.
std::optional<DType> set_planned_activations(std::optional<DType> activations);

/// A convolution that was planned, in the order of the calls.
struct PlannedConvolution {
  ConvShape z;
  ConvPass pass;
  DType dtype;  ///< of the image
};
/// From now on they are appended to `list`, which is null by default; returns the list before.
std::vector<PlannedConvolution>* set_planned_convolutions(std::vector<PlannedConvolution>* list);

}  // namespace tensor
