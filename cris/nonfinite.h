/// The non-finite guard: finds where a NaN or infinity arose, says it, and keeps the evidence.
#pragma once
#include <functional>
#include <string>

#include "cris/model.h"
#include "data/loader.h"

namespace cris {

/// A value that is not finite: the program ends with exit code 4.
class NonFiniteError : public tensor::Error {
 public:
  using tensor::Error::Error;
};

/// The first parameter or buffer with a value that is not finite, "" when there is none. Buffers of Device::plan are
/// skipped.
std::string non_finite_parameter(nn::Module& model);
/// The first parameter whose gradient is not finite, "" when there is none.
std::string non_finite_gradient(nn::Module& model);

/// Runs `loss` again on `batch` with an observer on every op, and its backward pass, until something is not finite.
/// Writes the batch and all parameters to `dump` (safetensors), then throws NonFiniteError that names the layer, the
/// op, the image files and the dump.
[[noreturn]] void report_non_finite(Model& model, const data::Batch& batch, const std::string& files,
                                    const std::function<Variable()>& loss, const std::string& dump);

}  // namespace cris
