/// Kernels that are recorded once and then launched as a whole, which spares the host the launch of each.
#pragma once
#include <functional>
#include <memory>

#include "tensor/tensor.h"

namespace tensor::cuda {

/// What was recorded. It runs on the same memory each time, so everything it touches must be left where it was.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void replay() = 0;
};

/// Runs `work`, whose kernels are recorded and not executed; every kernel must have run before. The dropouts among them
/// take the step of their key from random_step, i32 [1], whenever they are replayed. Throws Error when `work` copies to
/// or from the host or waits for the device, which cannot be recorded, and in a build without CUDA.
std::unique_ptr<Recording> record(const Tensor& random_step, const std::function<void()>& work);

/// Whether record() runs.
bool recording();
/// While record() runs, where its dropouts read the step of their key; else null.
const int32_t* recorded_random_step();

}  // namespace tensor::cuda
