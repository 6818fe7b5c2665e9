/// Every setting of a run. A struct holds them; one table names each, with its meaning and range, and files, --set,
/// flags, docs and errors all read that table.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "cris/evaluate.h"
#include "cris/model.h"
#include "cris/run/config_error.h"
#include "data/split.h"
#include "data/transform.h"
#include "nn/init.h"
#include "nn/optimizer.h"
#include "nn/schedule.h"
#include "tensor/precision.h"

namespace cris {

/// Which epoch's model a run keeps and evaluates: that of the best validation Dice; of those epochs that L2 trained,
/// where cris alternates by epoch; or the last.
enum class Keep { best, best_l2, last };
constexpr auto names(Keep) { return tensor::Names{"model kept", {"best", "best_l2", "last"}}; }

/// The settings: what the parts of a run take as their options, so that every default stands beside its use.
struct Config {
  struct {
    std::string dir, masks, mask_suffix, mask_values, split;
    int64_t size = 256, split_seed = 0;
    data::Protocol protocol = data::Protocol::random;
    data::Augmentation augmentation;
    bool cache = true;
  } data;
  ModelOptions model;
  nn::InitKind init = nn::InitKind::he;
  CrisOptions cris;
  nn::OptimizerOptions optimizer;
  nn::Schedule schedule;  ///< period and warmup in epochs
  struct {
    int64_t epochs = 12, batch = 4, seed = 0;
    double refiner_rate = 1;
    Keep keep = Keep::best;
    std::string start_from;
    Freeze freeze = Freeze::none;
    int64_t early_stopping = 0, checkpoint_steps = 0, overfit = 0;
    bool fast_dev_run = false;
  } train;
  struct {
    ScoreSize size = ScoreSize::network;
  } eval;
  struct {
    tensor::Device device = tensor::Device::cpu;
    tensor::Precision precision = tensor::Precision::f32;
    int64_t threads = 0;
    bool replay = true;
  } run;
};

/// An enum among the settings, read and written by name.
struct Choice {
  std::vector<std::string> choices;
  std::function<std::string()> get;
  std::function<void(const std::string&)> set;  ///< one of the choices
};

struct Key {
  std::string name;
  std::variant<bool*, int64_t*, double*, std::string*, std::vector<int64_t>*, Choice> value;
  std::string meaning;
  static constexpr double kAny = 1e300;
  double least = -kAny, most = kAny;  ///< of a number
};
/// The table, pointing into `config`.
std::vector<Key> keys(Config& config);
/// Throws ConfigError, beginning with `where`, when a number is out of its key's range or not finite, or a text is not
/// plain.
void check_range(const Key& key, const std::string& where);

/// Reads a TOML file over `config`. Throws ConfigError with file and line: syntax, a type that does not fit, or an
/// unknown key (with the nearest one that exists). The configuration of a run made before refiner.init existed means
/// what it meant: "identity".
void read_config(Config& config, const std::string& path);
/// One override. Throws ConfigError as read_config, with `where` (a flag, say) in the place of the file.
void set_config(Config& config, const std::string& name, const std::string& value, const std::string& where);
/// The same from "section.key=value", as --set has it.
void set_config(Config& config, const std::string& assignment);
/// Fills what 0 stands for (the backbone's own width) and refuses settings that cannot run: sizes that are not a
/// multiple of 16 (32 for segnet), ranges.
void resolve_config(Config& config);
/// The whole configuration as TOML; reading it gives the same configuration back.
std::string to_toml(const Config& config);
/// "data.size: 128, not 256" for every key in which the two differ.
std::vector<std::string> differences(const Config& before, const Config& now);
/// The table for people, as Markdown: key, default, meaning.
std::string config_reference();

}  // namespace cris
