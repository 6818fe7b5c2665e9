/// Writing the results of a command that goes through many pictures.
#pragma once
#include <cstdint>
#include <string>

#include "data/image.h"

namespace tools {

/// data::write_pngs of the results of picture `done` of `all`. Throws data::FormatError that says, beside what went
/// wrong, how many results are in `out` already.
void write_results(const data::Pictures& results, int64_t done, int64_t all, const std::string& out);

}  // namespace tools
