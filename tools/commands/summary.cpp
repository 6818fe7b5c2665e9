/// cris summary: the layers, their arithmetic, and the memory that training and prediction will take.
#include <fmt/format.h>

#include <optional>

#include "cris/run/memory_plan.h"
#include "tools/commands/config_options.h"

namespace tools {

namespace {

Run setup_summary(CLI::App& app) {
  auto options = std::make_shared<ConfigOptions>(app);
  return [options] {
    const cris::Config config = options->config();
    std::optional<cris::ExperimentData> data;
    if (!config.data.dir.empty()) data = cris::open_data(config);
    fmt::print("{}", cris::summary_text(cris::summarize(config, data ? &*data : nullptr), config));
    return int(kOk);
  };
}

const Command summary(20, "summary", "layers, parameters, arithmetic and planned memory", setup_summary);

}  // namespace

}  // namespace tools
