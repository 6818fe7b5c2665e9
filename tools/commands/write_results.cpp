/// One failed write tells how far the command came.
#include "tools/commands/write_results.h"

#include "data/format_error.h"

namespace tools {

void write_results(const data::Pictures& results, int64_t done, int64_t all, const std::string& out) {
  try {
    data::write_pngs(results);
  } catch (const tensor::Error& e) {
    throw data::FormatError(
        fmt::format("{}. {} holds the results of {} of {} images, each whole; the same command makes all of them again",
                    e.what(), out, done, all));
  }
}

}  // namespace tools
