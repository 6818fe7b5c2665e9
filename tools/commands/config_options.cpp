/// Flags set keys of the configuration: after the file of -c, and before --set, which therefore prevails.
#include "tools/commands/config_options.h"

#include <fmt/format.h>

namespace tools {

ConfigOptions::ConfigOptions(CLI::App& app) {
  app.add_option("-c,--config", file_, "configuration file (TOML)");
  app.add_option("--set", set_, "override: section.key=value, may be repeated")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  const cris::Config defaults;
  cris::Config copy = defaults;
  const auto table = cris::keys(copy);
  const auto flag = [&](const char* name, const char* key) {
    auto f = std::make_unique<Flag>();
    f->flag = name;
    f->key = key;
    for (const cris::Key& k : table)
      if (k.name == key) f->option = app.add_option(name, f->text, fmt::format("{} [{}]", k.meaning, key))->take_last();
    flags_.push_back(std::move(f));
  };
  flag("--data", "data.dir");
  flag("--size", "data.size");
  flag("--backbone", "model.backbone");
  flag("--base", "model.base");
  flag("--strategy", "train.strategy");
  flag("--epochs", "train.epochs");
  flag("--batch", "train.batch");
  flag("--lr", "train.learning_rate");
  flag("--seed", "train.seed");
  flag("--overfit", "train.overfit");
  flag("--init", "train.start_from");
  flag("--freeze", "train.freeze");
  flag("--threads", "run.threads");
  flag("--device", "run.device");
  flag("--precision", "run.precision");
}

cris::Config ConfigOptions::config(cris::Config config) const {
  if (!file_.empty()) cris::read_config(config, file_);
  for (const auto& f : flags_)
    if (f->option->count()) cris::set_config(config, f->key, f->text, f->flag);
  for (const std::string& assignment : set_) cris::set_config(config, assignment);
  cris::resolve_config(config);
  return config;
}

double seconds_from(const std::string& text) {
  if (text.empty()) return 0;
  double value = 0;
  size_t used = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
  }
  const std::string unit = text.substr(used);
  const double scale = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (!(value > 0) || scale == 0) throw Failure(kUsage, fmt::format("--max-time {}: write 90s, 20m or 1.5h", text));
  return value * scale;
}

}  // namespace tools
