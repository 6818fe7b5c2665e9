#pragma once
#include "tensor/check.h"

namespace cris {

/// A setting that is wrong: the program ends with exit code 2.
class ConfigError : public tensor::Error {
 public:
  using tensor::Error::Error;
};

}  // namespace cris
