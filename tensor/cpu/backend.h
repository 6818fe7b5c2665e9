/// The fast host backend: inherits the reference and overrides what is worth speeding up, for f32; f64 goes to the
/// reference.
#pragma once
#include "tensor/reference/reference.h"

namespace tensor::cpu {

class CpuBackend : public ReferenceBackend {};

}  // namespace tensor::cpu
