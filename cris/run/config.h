/// Every setting of a run, each once: its key, default, range and meaning. Files, --set, flags and docs all read this
/// table.
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "tensor/check.h"

namespace cris {

/// A setting that is wrong: the program ends with exit code 2.
class ConfigError : public tensor::Error {
 public:
  using tensor::Error::Error;
};

struct Config {
  struct {
    std::string dir, split;
    int64_t size = 256, split_seed = 0;
    std::string protocol = "random";
    bool flip = false, rotate = false, cache = true;
    double jitter = 0;
  } data;
  struct {
    std::string backbone = "unet", init = "he";
    int64_t base = 0;
    bool deep_supervision = false;
  } model;
  struct {
    int64_t channels = 16;
    std::vector<int64_t> kernels = {7, 5, 3};
    double dropout = 0.01;
  } refiner;
  struct {
    int64_t train_iterations = 5, eval_iterations = 10;
    double theta_alpha = 0, theta_beta = 3, theta_gamma = 3, spatial_weight = 1, bilateral_weight = 1;
    std::string filter = "permutohedral", normalisation = "row";
  } crf;
  struct {
    std::string strategy = "cris", alternate = "epoch";
    bool detach_refiner_input = false, weighted_sum = false;
    double mse_weight = 0.5;
    int64_t epochs = 12, batch = 4, seed = 0;
    double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
    int64_t early_stopping = 0, checkpoint_steps = 0, overfit = 0;
    bool fast_dev_run = false;
  } train;
  struct {
    std::string device = "cpu", precision = "f32";
    int64_t threads = 0;
    bool replay = true;
  } run;
};

struct Key {
  std::string name;
  std::variant<bool*, int64_t*, double*, std::string*, std::vector<int64_t>*> value;
  std::string meaning;
  std::vector<std::string> choices;  ///< of a text; empty: any
  static constexpr double kAny = 1e300;
  double least = -kAny, most = kAny;  ///< of a number
};
/// The table, pointing into `config`.
std::vector<Key> keys(Config& config);

/// Reads a TOML file over `config`. Throws ConfigError with file and line: syntax, a type that does not fit, or an
/// unknown key (with the nearest one that exists).
void read_config(Config& config, const std::string& path);
/// One override. Throws ConfigError as read_config, with `where` (a flag, say) in the place of the file.
void set_config(Config& config, const std::string& name, const std::string& value, const std::string& where);
/// The same from "section.key=value", as --set has it.
void set_config(Config& config, const std::string& assignment);
/// Fills what 0 stands for (the backbone's own width) and refuses settings that cannot run: sizes that are no multiple
/// of 16 (32 for segnet), ranges.
void resolve_config(Config& config);
/// The whole configuration as TOML; reading it gives the same configuration back.
std::string to_toml(const Config& config);
/// "data.size: 128, not 256" for every key in which the two differ.
std::vector<std::string> differences(const Config& before, const Config& now);
/// The table for people, as Markdown: key, default, meaning.
std::string config_reference();

}  // namespace cris
