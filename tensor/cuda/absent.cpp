/// Stands in for the CUDA backend in builds without it.
#include "tensor/backend.h"
#include "tensor/cuda/convolution.h"
#include "tensor/cuda/recording.h"

namespace tensor {
namespace {

[[noreturn]] void refuse() {
  throw Error(
      "device cuda: this build has no CUDA; configure with a CUDA toolkit (cmake --preset cuda) or choose --device "
      "cpu");
}

}  // namespace

const Backend& cuda_backend() { refuse(); }

namespace cuda {

std::vector<std::string> conv_methods() { refuse(); }
void force_conv_method(const std::string&) { refuse(); }
std::string conv_method(const ConvShape&, ConvPass, DType) { refuse(); }
std::unique_ptr<Recording> record(const Tensor&, const std::function<void()>&) { refuse(); }

}  // namespace cuda
}  // namespace tensor
