/// The table of settings, and its way to and from TOML.
#include "cris/run/config.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "cris/run/nearest.h"
#include "cris/run/toml_file.h"
#include "data/files.h"
#include "data/image.h"
#include "tensor/machine/atomic_file.h"

namespace cris {

namespace {

template <tensor::NamedEnum E>
Choice choice(E& e, std::vector<std::string> choices = tensor::choices<E>()) {
  return {std::move(choices), [&e] { return std::string(tensor::name(e)); },
          [&e](const std::string& text) { e = tensor::parse<E>(text); }};
}

}  // namespace

std::vector<Key> keys(Config& c) {
  auto& [data, model, init, cris, optimizer, schedule, train, eval, run] = c;
  auto& [backbone, strategy, refiner, crf, input] = model;
  return {
      {"data.dir", &data.dir, "folder with images/ and masks/ of the same base names"},
      {"data.masks", &data.masks, "folder of the masks, if not masks/; then images/ may be data.dir itself"},
      {"data.mask_suffix", &data.mask_suffix, "what follows an image's base name in its mask's: _mask"},
      {"data.mask_values", &data.mask_values, "values of background and polyp in masks, if not black and white: 0,1"},
      {"data.split", &data.split, "split file to use; empty: made from split_seed and protocol"},
      {"data.split_seed", &data.split_seed, "seed of the 70/15/15 split", 0},
      {"data.protocol", choice(data.protocol), "random: the paper's; sequences: CVC-ClinicDB by whole sequences"},
      {"data.size", &data.size, "height and width that images are resized to, a multiple of 16 (32 for segnet)", 16,
       data::kMaxImageSide},
      {"data.cache", &data.cache, "keep decoded and resized images in memory"},
      {"data.flip", &data.augmentation.flip, "augmentation: random horizontal and vertical flips"},
      {"data.rotate", &data.augmentation.quarter_turns, "augmentation: random quarter turns"},
      {"data.jitter", &data.augmentation.jitter, "augmentation: strength of colour jitter, 0 is off", 0, 5},
      {"model.backbone", choice(backbone.kind), "the network"},
      {"model.base", &backbone.base, "channels of the first stage; 0: the backbone's own (64, 32, 64)", 0, 512},
      {"model.init", choice(init), "he: normal, fan in; pytorch: that framework's uniform default"},
      {"model.deep_supervision", &backbone.deep_supervision, "unet++: heads on every depth, loss their mean"},
      {"model.norm", choice(backbone.norm), "unet: batch norm after every 3x3 convolution, or none, with biases"},
      {"model.up", choice(backbone.up), "unet++: bilinear, or transposed convolutions of stride 2"},
      {"model.input", choice(input),
       "what the backbone reads: unit, RGB / 255; standard, that less ImageNet's mean by its deviation"},
      {"refiner.channels", &refiner.channels, "width of the refiner", 1, 1024},
      {"refiner.kernels", &refiner.kernels, "its odd kernel extents; the last makes the one-channel output"},
      {"refiner.dropout", &refiner.dropout, "probability of dropping an element, below 1", 0},
      {"refiner.init", choice(refiner.init),
       "where it begins: copy, a soft copy of its mask; identity, its draw plus a path of ones; draw, as model.init "
       "says"},
      {"crf.train_iterations", &crf.training_iterations, "mean-field iterations in training", 1, 1000},
      {"crf.eval_iterations", &crf.evaluation_iterations, "mean-field iterations in evaluation", 1, 1000},
      {"crf.theta_alpha", &crf.theta_alpha, "bilateral reach in pixels; 0: 160 * width / 500", 0},
      {"crf.theta_beta", &crf.theta_beta, "bilateral reach in colour, 0..255", 0.01},
      {"crf.theta_gamma", &crf.theta_gamma, "spatial reach in pixels", 0.5},
      {"crf.spatial_weight", &crf.spatial_weight, "initial weight of the spatial kernel, trained", 0, 1000},
      {"crf.bilateral_weight", &crf.bilateral_weight, "initial weight of the bilateral kernel, trained", 0, 1000},
      {"crf.filter", choice(crf.kind), "how the Gaussian sums are computed"},
      {"crf.normalisation", choice(crf.normalisation), "of the filtered sums"},
      {"train.strategy", choice(strategy), "what is trained"},
      {"train.alternate", choice(cris.alternate),
       "cris: change the loss every epoch; every batch, anew each epoch; every step of the run; or both losses for "
       "every batch, a step each"},
      {"train.first_loss", choice(cris.first), "cris: which comes first, L1 (mse) or L2 (bce)"},
      {"train.output_loss", choice(cris.output_loss), "backbone, fcn, crf: what their output is trained by"},
      {"train.zero_gradients", &cris.zero_gradients,
       "cris: in steps of L1 the refiner takes Adam's step by a gradient of 0, as in PyTorch below 2"},
      {"train.detach_refiner_input", &cris.detach_refiner_input, "cris: the refined loss does not reach the backbone"},
      {"train.weighted_sum", &cris.weighted_sum, "cris: both losses at once instead of in turn"},
      {"train.mse_weight", &cris.mse_weight, "weighted_sum: the share of the mask's MSE", 0, 1},
      {"train.epochs", &train.epochs, "passes over the training set; even for cris", 1, 1e6},
      {"train.batch", &train.batch, "images a step; the last, short batch is kept", 1, 1e5},
      {"train.seed", &train.seed, "of weights, order, dropout and augmentation", 0},
      {"train.optimizer", choice(optimizer.kind), "how gradients change weights"},
      {"train.learning_rate", &schedule.learning_rate, "before the schedule lowers it", 0},
      {"train.schedule", choice(schedule.kind),
       "step: the rate times the factor every schedule_epochs; cosine: down to factor times the rate"},
      {"train.schedule_epochs", &schedule.period, "step: between decays; cosine: until the end, 0: all epochs", 0, 1e6},
      {"train.schedule_factor", &schedule.factor, "of step and cosine", 0, 1},
      {"train.warmup_epochs", &schedule.warmup, "in which the rate first rises to its value, step by step", 0, 1e6},
      {"train.beta1", &optimizer.beta1, "Adam's decay of the mean, below 1", 0},
      {"train.beta2", &optimizer.beta2, "Adam's decay of the square, below 1", 0},
      {"train.epsilon", &optimizer.epsilon, "Adam's, added after bias correction", 1e-30},
      {"train.momentum", &optimizer.momentum, "sgd's, below 1", 0},
      {"train.refiner_rate", &train.refiner_rate, "the refiner's rate, as a factor of train.learning_rate", 0, 1000},
      {"train.weight_decay", &optimizer.weight_decay, "added to the gradient", 0},
      {"train.keep", choice(train.keep),
       "which epoch's model is kept: the best; cris: the best that L2 trained; the last"},
      {"train.start_from", &train.start_from, "weights to begin with: another run, its best, or a checkpoint (--init)"},
      {"train.freeze", choice(train.freeze), "what keeps its weights and statistics (--freeze)"},
      {"train.early_stopping", &train.early_stopping, "stop after this many epochs without a better Dice; 0: never", 0},
      {"train.checkpoint_steps", &train.checkpoint_steps,
       "steps between checkpoints within an epoch; 0: only after each epoch", 0},
      {"train.overfit", &train.overfit, "train and evaluate on this many images only; 0: off", 0},
      {"train.fast_dev_run", &train.fast_dev_run, "two batches of everything, to see that it runs"},
      {"eval.size", choice(eval.size),
       "at what size maps are scored: the network's, or each picture's own, maps resized bilinearly"},
      {"run.device", choice(run.device, {"cpu", "reference", "cuda"}), "who computes"},
      {"run.precision", choice(run.precision), "exact: direct sums only; f32: Winograd too; tf32, bf16: cuda"},
      {"run.threads", &run.threads, "of the cpu device; 0: all this process may use. Results do not depend on it", 0,
       1024},
      {"run.replay", &run.replay,
       "cuda: record the kernels of a training step once, then launch them together. Results do not depend on it"},
  };
}

namespace {

/// The last part of a name weighs alone too: a key in the wrong section is found. Nothing: all are far from it.
std::string nearest(const std::string& unknown, const std::vector<Key>& table) {
  const auto last = [](const std::string& s) { return s.substr(s.find_last_of('.') + 1); };
  std::string best;
  size_t least = SIZE_MAX;
  for (const Key& k : table) {
    const size_t d = std::min(edit_distance(unknown, k.name), edit_distance(last(unknown), last(k.name)) + 1);
    if (d < least) least = d, best = k.name;
  }
  return least <= last(unknown).size() / 2 + 1 ? best : "";
}

std::string unknown_key(const std::string& name, const std::vector<Key>& table) {
  const auto inside =
      std::find_if(table.begin(), table.end(), [&](const Key& k) { return k.name.starts_with(name + "."); });
  if (inside != table.end()) return fmt::format("{} is a section: write one of its keys, as {}", name, inside->name);
  const std::string near = nearest(name, table);
  return fmt::format(
      "unknown key \"{}\"; {}", name,
      near.empty() ? "docs/reference/configuration.md lists them" : fmt::format("the nearest is \"{}\"", near));
}

template <class... A>
[[noreturn]] void refuse(const std::string& where, fmt::format_string<const A&...> message, const A&... args) {
  throw ConfigError((where.empty() ? "" : where + ": ") + fmt::format(message, args...));
}

void choose(const Key& key, const Choice& choice, const std::string& text, const std::string& where) {
  if (key.name == "crf.filter" && text == "bridged") refuse(where, "crf.filter = {}", tensor::kBridgedIsGone);
  if (!data::is_plain_text(text)) refuse(where, "{} has a control character or is not UTF-8", key.name);
  if (std::find(choice.choices.begin(), choice.choices.end(), text) == choice.choices.end())
    refuse(where, "{} = \"{}\" is unknown: choose {}", key.name, text, tensor::alternatives(choice.choices));
  choice.set(text);
}

void assign(const Key& key, const toml::node& node, const std::string& where) {
  const auto fits = [&](bool ok, const char* kind) {
    if (!ok) refuse(where, "{} must be {}", key.name, kind);
  };
  if (const auto* b = std::get_if<bool*>(&key.value)) {
    fits(node.is_boolean(), "true or false");
    **b = *node.value<bool>();
  } else if (const auto* i = std::get_if<int64_t*>(&key.value)) {
    fits(node.is_integer(), "a whole number");
    **i = *node.value<int64_t>();
  } else if (const auto* d = std::get_if<double*>(&key.value)) {
    fits(node.is_number(), "a number");
    **d = *node.value<double>();
  } else if (const auto* s = std::get_if<std::string*>(&key.value)) {
    fits(node.is_string(), "a text in quotes");
    **s = *node.value<std::string>();
  } else if (const auto* choice = std::get_if<Choice>(&key.value)) {
    fits(node.is_string(), "a text in quotes");
    choose(key, *choice, *node.value<std::string>(), where);
  } else {
    auto& list = *std::get<std::vector<int64_t>*>(key.value);
    fits(node.is_array(), "a list of whole numbers");
    list.clear();
    for (const toml::node& e : *node.as_array()) {
      fits(e.is_integer(), "a list of whole numbers");
      list.push_back(*e.value<int64_t>());
    }
  }
  check_range(key, where);
}

void assign_table(const std::vector<Key>& table, const toml::table& values, const std::string& prefix,
                  const std::string& file) {
  for (const auto& [name, node] : values) {
    const std::string full = prefix + std::string(name.str());
    const std::string where = fmt::format("{}:{}", file, name.source().begin.line);
    const auto key = std::ranges::find(table, full, &Key::name);
    if (key != table.end()) {
      assign(*key, node, where);
      continue;
    }
    const bool section =
        std::any_of(table.begin(), table.end(), [&](const Key& k) { return k.name.starts_with(full + "."); });
    if (!section || !node.is_table()) refuse(where, "{}", unknown_key(full, table));
    assign_table(table, *node.as_table(), full + ".", file);
  }
}

std::string toml_text(const std::string& bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    if (c == '"' || c == '\\') text += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      text += fmt::format("\\u{:04x}", int(c));
    else
      text += c;
  }
  return text + '"';
}

std::string value_text(const Key& key) {
  if (const auto* b = std::get_if<bool*>(&key.value)) return **b ? "true" : "false";
  if (const auto* i = std::get_if<int64_t*>(&key.value)) return fmt::format("{}", **i);
  if (const auto* d = std::get_if<double*>(&key.value)) {
    std::string text = fmt::format("{}", **d);
    return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
  }
  if (const auto* s = std::get_if<std::string*>(&key.value)) return toml_text(**s);
  if (const auto* choice = std::get_if<Choice>(&key.value)) return toml_text(choice->get());
  return fmt::format("[{}]", fmt::join(*std::get<std::vector<int64_t>*>(key.value), ", "));
}

}  // namespace

void check_range(const Key& key, const std::string& where) {
  if (const auto* text = std::get_if<std::string*>(&key.value); text && !data::is_plain_text(**text))
    refuse(where, "{} has a control character or is not UTF-8: rename what it stands for", key.name);
  double number = 0;
  if (const auto* i = std::get_if<int64_t*>(&key.value))
    number = double(**i);
  else if (const auto* d = std::get_if<double*>(&key.value))
    number = **d;
  else
    return;
  if (!std::isfinite(number)) refuse(where, "{} = {} is not a finite number", key.name, number);
  if (number >= key.least && number <= key.most) return;
  const std::string above = key.most < Key::kAny || number > key.most ? fmt::format(" and at most {}", key.most) : "";
  refuse(where, "{} = {} is out of range: at least {}{}", key.name, number, key.least, above);
}

void set_from_table(Config& config, const toml::table& values, const std::string& path) {
  assign_table(keys(config), values, "", path);
}

void read_config(Config& config, const std::string& path) {
  std::string text;
  try {
    text = tensor::read_file(path);
  } catch (const tensor::Error& e) {
    throw ConfigError(fmt::format("{}; -c takes a configuration file (TOML)", e.what()));
  }
  const toml::table file = parse_toml(text, path);
  set_from_table(config, file, path);
  // A whole configuration, as runs keep it, of before the key was there.
  if (file["data"]["dir"] && file["run"]["replay"] && !file["refiner"]["init"])
    config.model.refiner.init = RefinerStart::identity;
}

void set_config(Config& config, const std::string& name, const std::string& value, const std::string& where) {
  const auto table = keys(config);
  const auto key = std::ranges::find(table, name, &Key::name);
  if (key == table.end()) refuse(where, "{}", unknown_key(name, table));
  if (const auto* text = std::get_if<std::string*>(&key->value); text && !value.starts_with('"')) {
    **text = value;
    return check_range(*key, where);
  }
  if (const auto* choice = std::get_if<Choice>(&key->value); choice && !value.starts_with('"'))
    return choose(*key, *choice, value, where);
  try {
    assign(*key, *toml::parse("value = " + value).get("value"), where);
  } catch (const toml::parse_error&) {
    assign(*key, toml::value<std::string>(value), where);  // a text: the type that is wanted gets named
  }
}

void set_config(Config& config, const std::string& assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos) refuse("--set", "\"{}\" is not of the form section.key=value", assignment);
  set_config(config, assignment.substr(0, equals), assignment.substr(equals + 1), "--set");
}

std::string to_toml(const Config& config) {
  Config copy = config;
  std::string text, section;
  for (const Key& k : keys(copy)) {
    const size_t dot = k.name.find('.');
    if (k.name.substr(0, dot) != section) {
      section = k.name.substr(0, dot);
      text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", section);
    }
    text += fmt::format("{} = {}\n", k.name.substr(dot + 1), value_text(k));
  }
  return text;
}

std::vector<std::string> differences(const Config& before, const Config& now) {
  Config a = before, b = now;
  const auto was = keys(a), is = keys(b);
  std::vector<std::string> found;
  for (size_t i = 0; i < was.size(); ++i)
    if (value_text(was[i]) != value_text(is[i]))
      found.push_back(fmt::format("{}: {}, not {}", was[i].name, value_text(was[i]), value_text(is[i])));
  return found;
}

std::string config_reference() {
  Config defaults;
  std::string text = "| key | default | meaning |\n|---|---|---|\n";
  for (const Key& k : keys(defaults)) {
    const auto* choice = std::get_if<Choice>(&k.value);
    const std::string choices = choice ? fmt::format(" ({})", fmt::join(choice->choices, ", ")) : "";
    text += fmt::format("| `{}` | `{}` | {}{} |\n", k.name, value_text(k), k.meaning, choices);
  }
  return text;
}

}  // namespace cris
