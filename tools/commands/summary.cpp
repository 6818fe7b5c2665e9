/// cris summary: the layers, their arithmetic, and the memory that training and prediction will take.
#include <fmt/format.h>

#include <optional>

#include "cris/run/memory_plan.h"
#include "tools/commands/config_options.h"

namespace tools {

namespace {

Run setup_summary(CLI::App& app) {
  auto options = std::make_shared<ConfigOptions>(app, ConfigOptions::kNetwork);
  auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "print JSON, not a table");
  add_example(app, "summary --backbone unet --base 16 --size 128 --strategy cris");
  return [options, json] {
    const cris::Config config = options->config();
    std::optional<cris::ExperimentData> data;
    if (!config.data.dir.empty()) data = cris::open_data(config);
    const cris::ModelSummary s = cris::summarize(config, data ? &*data : nullptr);
    fmt::print("{}", *json ? cris::summary_json(s, config).dump() + "\n" : cris::summary_text(s, config));
    return int(kOk);
  };
}

const Command summary(20, "summary", "layers, parameters, arithmetic and planned memory", setup_summary);

}  // namespace

}  // namespace tools
