/// Data, split and model of a configuration.
#include "cris/run/experiment.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <set>
#include <tuple>

#include "cris/nonfinite.h"
#include "cris/run/foreign_names.h"
#include "data/format_error.h"
#include "data/hash.h"
#include "data/parallel.h"
#include "data/transform.h"
#include "nn/checkpoint.h"
#include "nn/init.h"
#include "tensor/backend.h"
#include "tensor/machine/atomic_file.h"
#include "tensor/machine/threads.h"

namespace cris {

namespace {

data::Split make_split(const Config& config, const data::Dataset& dataset) {
  if (!config.data.split.empty()) return data::read_split(config.data.split);
  const std::vector<std::string> names = dataset.names();
  const auto seed = uint64_t(config.data.split_seed);
  if (config.data.protocol == data::Protocol::sequences)
    return data::grouped_split(names, data::cvc_clinicdb_groups(names), seed);
  return data::random_split(names, seed);
}

std::shared_ptr<data::SampleStore> make_store(const Config& config, std::vector<data::Pair> pairs) {
  const int64_t cache_bytes = config.data.cache ? int64_t(8) << 30 : 0;
  return std::make_shared<data::SampleStore>(std::move(pairs), config.data.size, config.data.size, cache_bytes);
}

}  // namespace

data::MaskRule mask_rule(const Config& config) {
  try {
    return {.folder = config.data.masks,
            .suffix = config.data.mask_suffix,
            .values = data::mask_values(config.data.mask_values, "data.mask_values")};
  } catch (const data::FormatError& e) {
    throw ConfigError(e.what());
  }
}

std::string hash_pairs(const std::vector<data::Pair>& pairs, std::string* files) {
  std::string list;
  std::set<std::string> lines;
  for (const data::Pair& p : pairs) {
    for (const std::string* path : {&p.image, &p.mask}) {
      const std::string hash = data::sha256(tensor::read_file(*path));
      const std::filesystem::path file = *path;
      lines.insert(fmt::format("{}  {}\n", hash, (file.parent_path().filename() / file.filename()).string()));
      list += hash + " ";
    }
    list += p.name + "\n";
  }
  if (files)
    for (const std::string& line : lines) *files += line;
  return data::sha256(list);
}

ExperimentData open_data(const Config& config) {
  if (config.data.dir.empty())
    throw ConfigError(
        "no data: give --data DIR, a folder with images/ and masks/ (cris data synthesize OUT makes one)");
  const data::Dataset dataset = data::open_dataset(config.data.dir, mask_rule(config));
  ExperimentData made;
  made.split = make_split(config, dataset);
  if (config.train.overfit > 0 && !made.split.protocol.starts_with(data::kSharedParts)) {
    auto& names = made.split.training;
    names.resize(std::min(names.size(), size_t(config.train.overfit)));
    made.split.validation = made.split.test = names;
    made.split.protocol =
        fmt::format("{}{} images serve as all three, of {}", data::kSharedParts, names.size(), made.split.protocol);
  }
  if (config.train.fast_dev_run) {
    for (auto* names : {&made.split.training, &made.split.validation, &made.split.test})
      names->resize(std::min(names->size(), size_t(2 * config.train.batch)));
  }
  std::vector<data::Pair> used;
  const auto store = [&](const std::vector<std::string>& names, const char* part) {
    data::require_data(!names.empty(), "{}: {} pairs leave nothing for the {} set; use a larger data set",
                       config.data.dir, dataset.pairs.size(), part);
    auto pairs = data::select(dataset, names);
    used.insert(used.end(), pairs.begin(), pairs.end());
    return make_store(config, std::move(pairs));
  };
  made.training = store(made.split.training, "training");
  made.validation = store(made.split.validation, "validation");
  made.test = store(made.split.test, "test");
  made.hash = hash_pairs(used, &made.files);
  return made;
}

ExperimentData open_whole(const Config& config) {
  ExperimentData made;
  made.split.protocol = "every pair, of another data set than the training's";
  const data::Dataset dataset = data::open_dataset(config.data.dir, mask_rule(config));
  made.split.test = dataset.names();
  made.hash = hash_pairs(dataset.pairs, &made.files);
  made.test = make_store(config, dataset.pairs);
  return made;
}

std::vector<std::string> decode_all(const ExperimentData& data, int threads, Progress* progress) {
  const int64_t all = data.training->size() + data.validation->size() + data.test->size();
  std::mutex mutex;
  int64_t done = 0;
  std::vector<std::string> notes;
  for (const auto& [name, fact] : tensor::backend(tensor::Device::cpu).facts())
    notes.push_back(fmt::format("note: {}: {}", name, fact));
  if (!data::can_start_thread())
    notes.push_back(
        "note: the system allows no more threads (ulimit -u, or pids.max of the control group): working with one");
  const std::tuple<const char*, std::shared_ptr<data::SampleStore>, const char*> parts[] = {
      {"training", data.training, "so there is nothing to learn"},
      {"validation", data.validation, "so no epoch could be told to be better than another"},
      {"test", data.test, ""}};
  for (const auto& [part, store, consequence] : parts) {
    std::vector<char> polyp(size_t(store->size()));
    data::for_each_index(store->size(), threads, [&, &store = store](int64_t i) {
      polyp[size_t(i)] = std::ranges::any_of(store->get(i)->mask.pixels, [](uint8_t v) { return v != 0; });
      const std::lock_guard lock(mutex);
      if (progress) progress->count("decoding", ++done, all);
    });
    if (std::ranges::find(polyp, 1) == polyp.end()) {
      if (*consequence)
        throw data::FormatError(fmt::format(
            "{}: not one of the {} {} masks has a polyp pixel, {}; masks are white (values of {} and above) "
            "where the polyp is",
            store->pair(0).mask, store->size(), part, consequence, data::kMaskThreshold));
      notes.push_back(fmt::format("note: not one of the {} {} masks has a polyp: its Dice says only that none is found",
                                  store->size(), part));
    }
    for (const auto& [remark, files] : store->remarks())
      notes.push_back(fmt::format("note: {} {} images or masks: {}; cris data check names them", files, part, remark));
    if (const int64_t specks = store->specks(); specks > 0)
      notes.push_back(
          fmt::format("note: {} of {} {} masks have a polyp smaller than a pixel of {} x {}: it counts as one "
                      "pixel; a larger data.size would show it",
                      specks, store->size(), part, store->width(), store->height()));
  }
  return notes;
}

void require_batches(const Config& config, const ExperimentData& data) {
  // UNet and UNet++ halve the maps four times before their deepest normalisation; SegNet's deepest come before its
  // fifth.
  const int64_t images = data.training->size(), batch = config.train.batch,
                last = images % batch ? images % batch : batch;
  if (last == 1 && config.data.size == 16)
    throw ConfigError(
        fmt::format("batch {} of {} images leaves a step with one image, whose deepest maps at size 16 are "
                    "one pixel: batch normalisation needs at least two values a channel; choose --size 32 "
                    "or a batch that leaves no single image",
                    batch, images));
}

std::shared_ptr<data::SampleStore> part_of(const ExperimentData& data, const std::string& name) {
  if (name == "train" || name == "training") return data.training;
  if (name == "validation" || name == "val") return data.validation;
  if (name == "test") return data.test;
  throw ConfigError(fmt::format("\"{}\" is not a part of a split: choose train, validation or test", name));
}

ModelOptions model_options(const Config& c) {
  ModelOptions options = c.model;
  // Augmented, no image comes back.
  if (c.data.augmentation.any()) options.crf.cache_bytes = 0;
  return options;
}

void apply_run_settings(const Config& c) {
  try {
    tensor::backend(c.run.device).synchronize();  // reaches it
  } catch (const tensor::Error& e) {
    throw ConfigError(e.what());
  }
  tensor::set_precision(c.run.precision);
  if (c.run.threads > 0) tensor::set_threads(int(c.run.threads));
}

std::unique_ptr<Model> make_model(const Config& c) {
  auto model = std::make_unique<Model>(model_options(c));
  nn::initialize(*model, uint64_t(c.train.seed), c.init);
  model->to(c.run.device);
  return model;
}

std::string start_file(const Config& c) {
  const std::string& from = c.train.start_from;
  const std::string file = std::filesystem::is_directory(from) ? from + "/checkpoints/best.safetensors" : from;
  if (!std::filesystem::exists(file))
    throw ConfigError(
        fmt::format("train.start_from = \"{}\": {} is not there; give the -o of a finished cris train, or a "
                    "checkpoint",
                    from, file));
  return file;
}

std::string begin_from(Model& model, const Config& c) {
  const std::string file = start_file(c);
  const nn::Matching m = nn::apply_matching(in_our_names(nn::read_safetensors(file)), model);
  tensor::require(m.taken > int64_t(m.unused.size()),
                  "{}: {} of its tensors fit this network and {} do not: it is of another one; give another run to "
                  "--init, or weights that docs/reference/interop.md names",
                  file, m.taken, m.unused.size());
  const std::string bad = non_finite_parameter(model);
  tensor::require(bad.empty(), "{}: its values of {} are not finite; give other weights to --init", file, bad);
  std::string text = fmt::format("begins with {} tensors of {}", m.taken, file);
  if (!m.missing.empty()) text += fmt::format("; as drawn: {}", fmt::join(m.missing, ", "));
  if (!m.unused.empty()) text += fmt::format("; left out: {}", fmt::join(m.unused, ", "));
  return text;
}

std::string data_name(const Config& c) {
  return std::filesystem::absolute(c.data.dir + "/.").lexically_normal().parent_path().filename().string();
}

std::string portable_toml(const Config& config) {
  Config portable = config;
  portable.run = {};
  return to_toml(portable);
}

}  // namespace cris
