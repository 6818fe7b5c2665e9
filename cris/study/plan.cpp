/// From the plan's TOML to cells. Every setting is tried on a configuration as it is read, so that errors have a line.
#include "cris/study/plan.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "cris/run/toml_file.h"
#include "tensor/machine/atomic_file.h"

namespace cris {

namespace {

/// What the plan itself decides for every run.
constexpr std::pair<const char*, const char*> kOfThePlan[] = {
    {"data.dir", "--data SET=DIR"},         {"model.backbone", "study.backbones"},
    {"train.strategy", "study.strategies"}, {"train.epochs", "study.epochs"},
    {"train.seed", "study.seeds"},          {"train.start_from", "begins_with of a variant"}};

struct Variant {
  std::string name = {};
  std::vector<std::string> sets = {}, backbones = {}, strategies = {};
  const toml::table* settings = nullptr;
  bool tuned = true;
  std::string begins_with = {};
};

/// Reads one table: each key once, and no other.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string name, const std::string& file)
      : table_(table), name_(std::move(name)), file_(file) {}
  [[noreturn]] void refuse(const toml::node& at, const std::string& what) const {
    throw ConfigError(fmt::format("{}:{}: {}", file_, at.source().begin.line, what));
  }
  std::string full(const std::string& key) const { return name_.empty() ? key : name_ + "." + key; }
  const toml::node* find(const std::string& key) {
    known_.push_back(key);
    return table_.get(key);
  }
  template <class T>
  void read(const std::string& key, T& value, const char* kind) {
    const toml::node* node = find(key);
    if (!node) return;
    const auto given = node->value_exact<T>();
    if (!given) refuse(*node, fmt::format("{} must be {}", full(key), kind));
    value = *given;
  }
  void read(const std::string& key, int64_t& value, int64_t least) {
    read(key, value, "a whole number");
    if (value < least) refuse(*table_.get(key), fmt::format("{} = {} must be at least {}", full(key), value, least));
  }
  template <class T>
  void read_list(const std::string& key, std::vector<T>& values, const char* kind) {
    const toml::node* node = find(key);
    if (!node) return;
    values.clear();
    if (const toml::array* list = node->as_array())
      for (const toml::node& e : *list)
        if (const auto given = e.value_exact<T>()) values.push_back(*given);
    if (!node->is_array() || values.empty() || values.size() != node->as_array()->size() ||
        std::set<T>(values.begin(), values.end()).size() != values.size())
      refuse(*node, fmt::format("{} must be a list of {}, at least one and none twice", full(key), kind));
  }
  /// A list of which each is one of `choices`, which it is by default.
  void read_some(const std::string& key, std::vector<std::string>& values, const std::vector<std::string>& choices) {
    values = choices;
    read_list(key, values, "texts");
    for (const std::string& v : values)
      if (std::ranges::find(choices, v) == choices.end())
        refuse(*table_.get(key),
               fmt::format("{}: \"{}\" is unknown: choose {}", full(key), v, tensor::alternatives(choices)));
  }
  const toml::table* table(const std::string& key) {
    const toml::node* node = find(key);
    if (node && !node->is_table()) refuse(*node, fmt::format("{} must be a table", full(key)));
    return node ? node->as_table() : nullptr;
  }
  /// Keys of runs, as in a configuration; checked here, applied when the cells are made.
  const toml::table* settings(const std::string& key) {
    const toml::table* values = table(key);
    if (!values) return nullptr;
    for (const auto& [name, instead] : kOfThePlan)
      if (const auto at = values->at_path(name))
        refuse(*at.node(), fmt::format("{} is the plan's own: it comes from {}", name, instead));
    Config tried;
    set_from_table(tried, *values, file_);
    return values;
  }
  /// The tables in this one, each with a name that can be part of a path.
  std::vector<std::pair<std::string, const toml::table*>> named_tables() const {
    std::vector<std::pair<std::string, const toml::table*>> found;
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      if (!node.is_table()) refuse(node, fmt::format("{} must be a table", full(name)));
      if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_+-") != std::string::npos)
        refuse(node, fmt::format("the name \"{}\" must be of lower-case letters, digits, _ + and -", name));
      found.emplace_back(name, node.as_table());
    }
    // TOML tables have no order; that of the file is the one a person meant.
    std::ranges::sort(found, {}, [](const auto& f) { return f.second->source().begin.line; });
    return found;
  }
  void end() const {
    for (const auto& [key, node] : table_)
      if (std::ranges::find(known_, key.str()) == known_.end())
        refuse(node, fmt::format("unknown key \"{}\"; known here: {}", full(std::string(key.str())),
                                 fmt::join(known_, ", ")));
  }

 private:
  const toml::table& table_;
  std::string name_, file_;
  std::vector<std::string> known_;
};

std::vector<Variant> read_variants(const toml::table* tables, const std::string& file,
                                   const std::vector<std::string>& sets, const std::vector<std::string>& backbones,
                                   const std::vector<std::string>& strategies) {
  std::vector<Variant> variants{{.sets = sets, .backbones = backbones, .strategies = strategies}};
  if (!tables) return variants;
  for (const auto& [name, table] : TableReader(*tables, "variants", file).named_tables()) {
    Variant v{.name = name};
    TableReader t(*table, "variants." + name, file);
    t.read_some("sets", v.sets, sets);
    t.read_some("backbones", v.backbones, backbones);
    t.read_some("strategies", v.strategies, strategies);
    t.read("tuned", v.tuned, "true or false");
    t.read("begins_with", v.begins_with, "the name of a strategy in quotes");
    if (!v.begins_with.empty() && std::ranges::find(strategies, v.begins_with) == strategies.end())
      t.refuse(*table->get("begins_with"), fmt::format("begins_with: \"{}\" is not a strategy of this plan: choose {}",
                                                       v.begins_with, tensor::alternatives(strategies)));
    v.settings = t.settings("settings");
    t.end();
    variants.push_back(v);
  }
  return variants;
}

Config run_config(const Cell& cell, int64_t epochs, int64_t seed) {
  Config c = cell.config;
  c.data.dir = data_folder(cell);
  c.train.epochs = epochs, c.train.seed = seed;
  if (!cell.begins_with.empty()) c.train.start_from = fmt::format("runs/{}-seed{}", cell.begins_with, seed);
  resolve_config(c);
  return c;
}

}  // namespace

Plan read_plan(const std::string& path) {
  Plan plan{.file = path, .text = {}};
  try {
    plan.text = tensor::read_file(path, 1 << 20);
  } catch (const tensor::Error& e) {
    throw ConfigError(fmt::format("{}; give the plan of a study (TOML), such as docs/study/cpu.toml", e.what()));
  }
  const toml::table file = parse_toml(plan.text, path);
  TableReader top(file, "", path);
  const toml::table* study = top.table("study");
  const toml::table* common = top.settings("settings");
  const toml::table* sets = top.table("sets");
  const toml::table* variants = top.table("variants");
  top.end();
  require_config(study && sets && !sets->empty(), "{}: a plan needs [study] and at least one [sets.NAME]", path);

  TableReader s(*study, "study", path);
  std::vector<std::string> backbones, strategies;
  s.read_some("backbones", backbones, tensor::choices<BackboneKind>());
  s.read_some("strategies", strategies, tensor::choices<Strategy>());
  s.read("trials", plan.trials, 0);
  s.read("epochs", plan.epochs, 1);
  s.read("trial_epochs", plan.trial_epochs = plan.epochs, 1);
  s.read_list("seeds", plan.seeds, "whole numbers");
  s.read("tuning_seed", plan.tuning_seed, 0);
  s.read_list("search", plan.search, "texts such as \"train.learning_rate=1e-6..1e-2:log\"");
  s.read("keep_models", plan.keep_models, "true or false");
  s.end();
  require_config(plan.trials <= kMostTrials, "{}: study.trials = {}: at most {} are possible", path, plan.trials,
                 kMostTrials);
  require_config(std::ranges::min(plan.seeds) >= 0, "{}: study.seeds must not be negative", path);

  std::vector<std::string> set_names;
  std::vector<const toml::table*> set_settings;
  for (const auto& [name, table] : TableReader(*sets, "sets", path).named_tables()) {
    StudySet set{.name = name};
    TableReader t(*table, "sets." + name, path);
    t.read("images", set.images, 0);
    set_settings.push_back(t.settings("settings"));
    t.end();
    set_names.push_back(name);
    plan.sets.push_back(set);
  }
  for (const Variant& v : read_variants(variants, path, set_names, backbones, strategies))
    for (const std::string& backbone : v.backbones)
      for (size_t i = 0; i < set_names.size(); ++i)
        for (const std::string& strategy : v.strategies) {
          const std::string &set = set_names[i], stem = set + "-" + backbone + "-";
          if (std::ranges::find(v.sets, set) == v.sets.end()) continue;
          Cell cell{.name = stem + strategy + (v.name.empty() ? "" : "-" + v.name),
                    .set = set,
                    .variant = v.name,
                    .tuned = v.tuned,
                    .begins_with = v.begins_with.empty() ? "" : stem + v.begins_with};
          cell.config.model.backbone.kind = tensor::parse<BackboneKind>(backbone);
          cell.config.model.strategy = tensor::parse<Strategy>(strategy);
          for (const toml::table* settings : {common, set_settings[i], v.settings})
            if (settings) set_from_table(cell.config, *settings, path);
          try {
            require_config(cell.config.eval.size == ScoreSize::network,
                           "eval.size must be \"network\": a study shrinks its pictures first");
            trial_config(plan, cell), final_config(plan, cell, plan.seeds[0]);
            require_config(std::ranges::find(plan.cells, cell.name, &Cell::name) == plan.cells.end(),
                           "two cells have this name; rename a set or a variant");
          } catch (const ConfigError& e) {
            throw ConfigError(fmt::format("{}: cell {}: {}", path, cell.name, e.what()));
          }
          plan.cells.push_back(cell);
        }
  for (const Cell& c : plan.cells)
    if (!c.begins_with.empty()) cell_of(plan, c.begins_with);
  return plan;
}

const StudySet& set_of(const Plan& plan, const std::string& name) {
  const auto at = std::ranges::find(plan.sets, name, &StudySet::name);
  require_config(at != plan.sets.end(), "{} has no set \"{}\"", plan.file, name);
  return *at;
}

const Cell& cell_of(const Plan& plan, const std::string& name) {
  const auto at = std::ranges::find(plan.cells, name, &Cell::name);
  require_config(at != plan.cells.end(), "{} has no cell \"{}\"", plan.file, name);
  return *at;
}

void require_continues(const Plan& before, const Plan& now) {
  const auto refuse = [&](const std::string& what) {
    throw ConfigError(
        fmt::format("{} is another plan than this study began with ({}); choose another -o", now.file, what));
  };
  for (const auto& [key, was, is] : {std::tuple{"trials", before.trials, now.trials},
                                     {"trial_epochs", before.trial_epochs, now.trial_epochs},
                                     {"epochs", before.epochs, now.epochs},
                                     {"tuning_seed", before.tuning_seed, now.tuning_seed},
                                     {"the first seed", before.seeds[0], now.seeds[0]}})
    if (was != is) refuse(fmt::format("study: {}: {}, not {}", key, was, is));
  if (before.search != now.search) refuse("study: search differs");
  for (const int64_t seed : before.seeds)
    if (!std::ranges::count(now.seeds, seed)) refuse(fmt::format("study: seeds lacks {}", seed));
  if (before.keep_models && !now.keep_models) refuse("study: keep_models: true, not false");
  for (const StudySet& was : before.sets)
    if (const auto is = std::ranges::find(now.sets, was.name, &StudySet::name);
        is != now.sets.end() && was.images != is->images)
      refuse(fmt::format("sets.{}: images: {}, not {}", was.name, was.images, is->images));
  for (const Cell& was : before.cells) {
    const auto is = std::ranges::find(now.cells, was.name, &Cell::name);
    if (is == now.cells.end()) refuse("it has no cell " + was.name);
    for (const std::string& d : differences(was.config, is->config))
      if (!d.starts_with("run.")) refuse(fmt::format("cell {}: {}", was.name, d));
    if (was.tuned != is->tuned || was.begins_with != is->begins_with)
      refuse(fmt::format("cell {}: tuned or begins_with", was.name));
  }
}

std::string data_folder(const Cell& cell) { return fmt::format("data-{}/{}", cell.config.data.size, cell.set); }
std::string trials_folder(const Cell& cell) { return "trials/" + cell.name; }
std::string run_folder(const Cell& cell, int64_t seed) { return fmt::format("runs/{}-seed{}", cell.name, seed); }

Config trial_config(const Plan& plan, const Cell& cell) { return run_config(cell, plan.trial_epochs, plan.seeds[0]); }
Config final_config(const Plan& plan, const Cell& cell, int64_t seed) { return run_config(cell, plan.epochs, seed); }

Config on_this_machine(Config config, const std::string& device, int64_t threads) {
  if (!device.empty()) set_config(config, "run.device", device, "--device");
  if (threads > 0) config.run.threads = threads;
  resolve_config(config);
  return config;
}

}  // namespace cris
