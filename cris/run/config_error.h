#pragma once
#include "tensor/check.h"

namespace cris {

/// A setting that is wrong: the program ends with exit code 2.
class ConfigError : public tensor::Error {
 public:
  using tensor::Error::Error;
};

/// Throws ConfigError with the formatted message unless `ok`.
template <class... A>
void require_config(bool ok, fmt::format_string<const A&...> message, const A&... args) {
  if (!ok) throw ConfigError(fmt::format(message, args...));
}

}  // namespace cris
