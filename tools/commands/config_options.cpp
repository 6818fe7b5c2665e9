/// Flags set keys of the configuration: after the file of -c, and before --set, which therefore prevails.
#include "tools/commands/config_options.h"

#include <fmt/format.h>

namespace tools {

namespace {

constexpr int kNetwork = ConfigOptions::kNetwork, kRunning = ConfigOptions::kRunning, kBench = ConfigOptions::kBench;

/// A flag, the key that it sets, and who has it: all that train, and these.
struct Flag {
  const char *name, *key;
  int others = 0;
};
constexpr Flag kFlags[] = {{"--data", "data.dir", kNetwork},
                           {"--masks", "data.masks"},
                           {"--mask-suffix", "data.mask_suffix"},
                           {"--mask-values", "data.mask_values"},
                           {"--size", "data.size", kNetwork | kRunning | kBench},
                           {"--backbone", "model.backbone", kNetwork | kRunning | kBench},
                           {"--base", "model.base", kNetwork | kRunning | kBench},
                           {"--strategy", "train.strategy", kNetwork | kRunning | kBench},
                           {"--epochs", "train.epochs"},
                           {"--batch", "train.batch", kNetwork | kBench},
                           {"--lr", "train.learning_rate"},
                           {"--seed", "train.seed", kRunning | kBench},
                           {"--overfit", "train.overfit"},
                           {"--init", "train.start_from"},
                           {"--freeze", "train.freeze"},
                           {"--threads", "run.threads", kRunning | kBench},
                           {"--device", "run.device", kRunning | kBench},
                           {"--precision", "run.precision", kRunning | kBench}};

/// The type and the range as CLI11 writes them, and the default.
void describe(CLI::Option& option, const cris::Key& key) {
  const auto in = [&](const char* type, bool whole) {
    if (key.least == cris::Key::kAny * -1 || key.most == cris::Key::kAny) return std::string(type);
    return whole ? fmt::format("{}:{} in [{:.0f} - {:.0f}]", type, type, key.least, key.most)
                 : fmt::format("{}:{} in [{} - {}]", type, type, key.least, key.most);
  };
  if (const auto* i = std::get_if<int64_t*>(&key.value)) {
    option.type_name(in("INT", true))->default_str(fmt::format("{}", **i));
  } else if (const auto* d = std::get_if<double*>(&key.value)) {
    option.type_name(in("FLOAT", false))->default_str(fmt::format("{}", **d));
  } else if (const auto* choice = std::get_if<cris::Choice>(&key.value)) {
    option.type_name(choices_type(choice->choices))->default_str(choice->get());
  } else {
    const bool folder = key.name == "data.dir" || key.name == "data.masks";
    option.type_name(folder ? "DIR" : key.name == "train.start_from" ? "FILE" : "TEXT");
  }
}

}  // namespace

ConfigOptions::ConfigOptions(CLI::App& app, User user) {
  app.add_option("-c,--config", file_, "configuration file (TOML)")->type_name("FILE");
  add_repeatable(app, "--set", set_, "any setting of docs/reference/configuration.md; may be repeated")
      ->type_name("KEY=VALUE");
  cris::Config defaults;
  const std::vector<cris::Key> table = cris::keys(defaults);
  for (const Flag& flag : kFlags) {
    if (user != kTraining && !(flag.others & user)) continue;
    const cris::Key& key = *std::ranges::find(table, flag.key, &cris::Key::name);
    CLI::Option* option = app.add_option(flag.name)->description(fmt::format("{} ({})", key.meaning, key.name));
    describe(*option->take_last(), key);
    flags_.emplace_back(option, key.name);
  }
}

cris::Config ConfigOptions::config(cris::Config config) const {
  if (!file_.empty()) cris::read_config(config, file_);
  for (const auto& [option, key] : flags_)
    if (option->count()) cris::set_config(config, key, option->as<std::string>(), option->get_name());
  for (const std::string& assignment : set_) cris::set_config(config, assignment);
  cris::resolve_config(config);
  return config;
}

void add_checkpoint(CLI::App& app, std::string& checkpoint) {
  app.add_option("--checkpoint", checkpoint, "the weights to use")->check(CLI::IsMember({"best", "last"}));
}

void add_device(CLI::App& app, std::string& device, std::optional<int64_t>& threads) {
  app.add_option("--device", device, "who computes; default: the run's")->type_name("TEXT:{cpu,reference,cuda}");
  app.add_option("--threads", threads, "threads of the cpu device; default: the run's")->check(CLI::Range(1, 1024));
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
  if (!(value > 0) || scale == 0) throw Failure(kUsage, "--max-time {}: write 90s, 20m or 1.5h", text);
  return value * scale;
}

}  // namespace tools
