/// Flags set keys of the configuration: after the file of -c, and before --set, which therefore prevails.
#include "tools/commands/config_options.h"

#include <fmt/format.h>

namespace tools {

const std::vector<std::string> ConfigOptions::kNetwork = {"--data", "--size",     "--backbone",
                                                          "--base", "--strategy", "--batch"};
const std::vector<std::string> ConfigOptions::kRunning = {"--size", "--backbone", "--base",   "--strategy",
                                                          "--seed", "--threads",  "--device", "--precision"};
const std::vector<std::string> ConfigOptions::kBench = {"--size", "--backbone", "--base",   "--strategy", "--batch",
                                                        "--seed", "--threads",  "--device", "--precision"};
const std::vector<std::string> ConfigOptions::kTraining = {
    "--data",    "--masks",    "--mask-suffix", "--mask-values", "--size",   "--backbone",
    "--base",    "--strategy", "--epochs",      "--batch",       "--lr",     "--seed",
    "--overfit", "--init",     "--freeze",      "--threads",     "--device", "--precision"};

namespace {

constexpr std::pair<const char*, const char*> kFlags[] = {{"--data", "data.dir"},
                                                          {"--masks", "data.masks"},
                                                          {"--mask-suffix", "data.mask_suffix"},
                                                          {"--mask-values", "data.mask_values"},
                                                          {"--size", "data.size"},
                                                          {"--backbone", "model.backbone"},
                                                          {"--base", "model.base"},
                                                          {"--strategy", "train.strategy"},
                                                          {"--epochs", "train.epochs"},
                                                          {"--batch", "train.batch"},
                                                          {"--lr", "train.learning_rate"},
                                                          {"--seed", "train.seed"},
                                                          {"--overfit", "train.overfit"},
                                                          {"--init", "train.start_from"},
                                                          {"--freeze", "train.freeze"},
                                                          {"--threads", "run.threads"},
                                                          {"--device", "run.device"},
                                                          {"--precision", "run.precision"}};

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

ConfigOptions::ConfigOptions(CLI::App& app, const std::vector<std::string>& flags) {
  app.add_option("-c,--config", file_, "configuration file (TOML)")->type_name("FILE");
  app.add_option("--set", set_, "any setting of docs/reference/configuration.md; may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  cris::Config defaults;
  for (const auto& [name, key] : kFlags) {
    if (std::find(flags.begin(), flags.end(), name) == flags.end()) continue;
    auto f = std::make_unique<Flag>();
    f->flag = name;
    f->key = key;
    for (const cris::Key& k : cris::keys(defaults))
      if (k.name == key) {
        f->option = app.add_option(name, f->text, fmt::format("{} ({})", k.meaning, key))->take_last();
        describe(*f->option, k);
      }
    flags_.push_back(std::move(f));
  }
}

cris::Config ConfigOptions::config(cris::Config config) const {
  if (!file_.empty()) cris::read_config(config, file_);
  for (const auto& f : flags_)
    if (f->option->count()) cris::set_config(config, f->key, f->text, f->flag);
  for (const std::string& assignment : set_) cris::set_config(config, assignment);
  cris::resolve_config(config);
  return config;
}

void add_device(CLI::App& app, std::string& device, int64_t& threads) {
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
  if (!(value > 0) || scale == 0) throw Failure(kUsage, fmt::format("--max-time {}: write 90s, 20m or 1.5h", text));
  return value * scale;
}

}  // namespace tools
