/// Every kernel of every fast backend against the reference in f64: what the parity tests share.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tensor/backend.h"

namespace parity {

using tensor::Device;
using tensor::DType;
using tensor::Shape;
using tensor::Tensor;

/// Calls one kernel on a device with inputs of an element type, and returns its outputs.
using Run = std::function<std::vector<Tensor>(Device, DType)>;

/// Uniform in [low, high), the same f32 numbers on every device and in every element type.
Tensor input(const Shape& shape, uint64_t seed, Device device, DType dtype, double low = -1, double high = 1);
/// An output that nobody wrote yet: NaN everywhere, 255 in integers.
Tensor poisoned(const Shape& shape, DType dtype, Device device);

/// On each fast device: `run` in f32 is within `tolerance` of the reference in f64 (norm of the difference over the
/// norm, for each output; integers exactly), and gives the same bits twice and with 1, 2 and 3 threads.
void check(const std::string& what, double tolerance, const Run& run);

/// Counts through awkward channel numbers, so that a table of other extents meets all of them.
int64_t channels(int64_t i);

}  // namespace parity
