/// The one error of this layer that a caller may want to catch apart: something is wrong with the user's files.
#pragma once
#include <fmt/format.h>

#include "tensor/check.h"

namespace data {

/// A file or folder that cannot be used: the message names it, says why and what to do.
class FormatError : public tensor::Error {
 public:
  using tensor::Error::Error;
};

/// Throws FormatError with the formatted message unless `ok`.
template <class... A>
void require_data(bool ok, fmt::format_string<const A&...> message, const A&... args) {
  if (!ok) throw FormatError(fmt::format(message, args...));
}

}  // namespace data
