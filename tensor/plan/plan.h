/// The plan device: nothing is computed, only counted. Running a program on Device::plan tells its peak memory and its
/// arithmetic (plan_counts, tensor/dispatch.h).
#pragma once
#include <optional>
#include <vector>

#include "tensor/conv_shape.h"
#include "tensor/device.h"
#include "tensor/dtype.h"

namespace tensor {

/// Which device is planned from now on, by default the cpu's; returns the device before.
Device set_planned_device(Device device);
/// What a device says that is not here to be asked: what networks keep between their layers, and which convolutions
/// take an image in parts.
struct AbsentDevice {
  Device device;
  DType activations;
  bool (*takes_parts)(const ConvShape& z, const std::vector<int64_t>& channels, DType dtype);
};
/// It answers in the planned device's place, which still tells workspaces; nothing: nobody does. Returns what was set
/// before.
std::optional<AbsentDevice> set_absent_device(std::optional<AbsentDevice> absent);
/// The device that the plan is of.
Device planned_device();

/// A convolution that was planned, in the order of the calls.
struct PlannedConvolution {
  ConvShape z;
  ConvPass pass;
  DType dtype;  ///< of the image
};
/// From now on they are appended to `list`, which is null by default; returns the list before.
std::vector<PlannedConvolution>* set_planned_convolutions(std::vector<PlannedConvolution>* list);

}  // namespace tensor
