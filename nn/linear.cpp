/// The layer keeps the parameters; the arithmetic is that of autograd/linalg.cpp.
#include "nn/linear.h"

namespace nn {

Linear::Linear(const LinearOptions& o) : options(o) {
  tensor::check(o.in > 0 && o.out > 0, "Linear: {} values to {}: both must be at least 1", o.in, o.out);
  make({o.out, o.in}, o.out, o.bias);
}

void Linear::initialize(const Initializer& init, const std::string& path) {
  init.fill(path, {double(options.in), double(options.in), options.before_relu}, weight, bias);
}

}  // namespace nn
