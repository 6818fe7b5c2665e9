/// One precision for the whole process: kernels read it when they run.
#include "tensor/precision.h"

namespace tensor {
namespace {

Precision current_precision = Precision::f32;

}  // namespace

void set_precision(Precision p) { current_precision = p; }
Precision precision() { return current_precision; }

}  // namespace tensor
