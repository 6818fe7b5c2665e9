/// The process-wide precision.
#include "tensor/precision.h"

namespace tensor {
namespace {

Precision current_precision = Precision::f32;

}  // namespace

void set_precision(Precision p) { current_precision = p; }
Precision precision() { return current_precision; }

}  // namespace tensor
