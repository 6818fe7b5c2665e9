/// Data, split and model of a configuration.
#include "cris/run/experiment.h"

#include <algorithm>
#include <filesystem>

#include "data/format_error.h"
#include "data/hash.h"
#include "data/parallel.h"
#include "data/transform.h"
#include "nn/init.h"
#include "tensor/machine/atomic_file.h"
#include "tensor/machine/threads.h"

namespace cris {

namespace {

data::Split make_split(const Config& config, const data::Dataset& dataset) {
  if (!config.data.split.empty()) return data::read_split(config.data.split);
  std::vector<std::string> names;
  for (const data::Pair& p : dataset.pairs) names.push_back(p.name);
  const auto seed = uint64_t(config.data.split_seed);
  if (config.data.protocol == data::Protocol::sequences)
    return data::grouped_split(names, data::cvc_clinicdb_groups(names), seed);
  return data::random_split(names, seed);
}

}  // namespace

std::string hash_pairs(const std::vector<data::Pair>& pairs) {
  std::string list;
  for (const data::Pair& p : pairs)
    list += fmt::format("{} {} {}\n", data::sha256(tensor::read_file(p.image)), data::sha256(tensor::read_file(p.mask)),
                        p.name);
  return data::sha256(list);
}

ExperimentData open_data(const Config& config) {
  if (config.data.dir.empty())
    throw ConfigError(
        "no data: give --data DIR, a folder with images/ and masks/ (cris data synthesize OUT makes one)");
  const data::Dataset dataset = data::open_dataset(config.data.dir);
  ExperimentData made;
  made.split = make_split(config, dataset);
  if (config.train.overfit > 0) {
    auto& names = made.split.training;
    names.resize(std::min(names.size(), size_t(config.train.overfit)));
    made.split.validation = made.split.test = names;
  }
  if (config.train.fast_dev_run) {
    for (auto* names : {&made.split.training, &made.split.validation, &made.split.test})
      names->resize(std::min(names->size(), size_t(2 * config.train.batch)));
  }
  std::vector<data::Pair> used;
  const auto store = [&](const std::vector<std::string>& names, const char* part) {
    if (names.empty()) {
      throw data::FormatError(fmt::format("{}: {} pairs leave nothing for the {} set; use a larger data set",
                                          config.data.dir, dataset.pairs.size(), part));
    }
    auto pairs = data::select(dataset, names);
    used.insert(used.end(), pairs.begin(), pairs.end());
    const int64_t cache_bytes = config.data.cache ? int64_t(8) << 30 : 0;
    return std::make_shared<data::SampleStore>(std::move(pairs), config.data.size, config.data.size, cache_bytes);
  };
  made.training = store(made.split.training, "training");
  made.validation = store(made.split.validation, "validation");
  made.test = store(made.split.test, "test");
  made.hash = hash_pairs(used);
  return made;
}

void decode_all(const ExperimentData& data, int threads) {
  for (const auto& store : {data.training, data.validation, data.test})
    data::for_each_index(store->size(), threads, [&](int64_t i) { store->get(i); });
  for (int64_t i = 0; i < data.training->size(); ++i) {
    const auto sample = data.training->get(i);
    if (std::ranges::any_of(sample->mask.pixels, [](uint8_t v) { return v != 0; })) return;
  }
  throw data::FormatError(fmt::format(
      "{}: not one of the {} training masks has a polyp pixel, so there is nothing to learn; masks are white "
      "(values of {} and above) where the polyp is",
      data.training->pair(0).mask, data.training->size(), data::kMaskThreshold));
}

std::shared_ptr<data::SampleStore> part_of(const ExperimentData& data, const std::string& name) {
  if (name == "train" || name == "training") return data.training;
  if (name == "validation" || name == "val") return data.validation;
  if (name == "test") return data.test;
  throw ConfigError(fmt::format("\"{}\" is no part of a split: choose train, validation or test", name));
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

std::string data_name(const Config& c) {
  return std::filesystem::absolute(c.data.dir + "/.").lexically_normal().parent_path().filename().string();
}

std::string portable_toml(const Config& config) {
  Config portable = config;
  portable.run = {};
  return to_toml(portable);
}

}  // namespace cris
