/// From a configuration to the things of an experiment: which pairs train, validate and test, and the model.
#pragma once
#include <memory>
#include <string>

#include "cris/model.h"
#include "cris/run/config.h"
#include "cris/run/progress.h"
#include "data/loader.h"
#include "data/split.h"

namespace cris {

struct ExperimentData {
  data::Split split;
  std::shared_ptr<data::SampleStore> training, validation, test;
  std::string hash;   ///< SHA-256 over the names and contents of every file that the split uses
  std::string files;  ///< SHA-256 of each of these, by its path in the data's folder, as sha256sum prints and reads it
};

/// Where the masks are, as the configuration says.
data::MaskRule mask_rule(const Config& config);
/// Opens data.dir, reads or makes the split, hashes the files. Nothing is decoded yet.
/// Throws data::FormatError for bad data, ConfigError when no data.dir is set or a part of the split is empty.
ExperimentData open_data(const Config& config);
/// Every pair of data.dir as the test part, for a model that was trained on other data; nothing trains or validates.
ExperimentData open_whole(const Config& config);
/// Decodes every pair once (into the cache), so that a bad image is met before a run begins. Throws data::FormatError,
/// also when every training mask or every validation mask is black. Returns what a person should know of the data
/// before numbers come from them, a line each.
std::vector<std::string> decode_all(const ExperimentData& data, int threads, Progress* progress = nullptr);
/// Throws ConfigError when a training step would give batch normalisation one value a channel, whose variance is 0.
void require_batches(const Config& config, const ExperimentData& data);
/// The store of "train", "validation" or "test"; throws ConfigError for another name.
std::shared_ptr<data::SampleStore> part_of(const ExperimentData& data, const std::string& name);
/// SHA-256 over the names and contents of the files of `pairs`. Those of the files, see ExperimentData::files, are
/// added to `files`.
std::string hash_pairs(const std::vector<data::Pair>& pairs, std::string* files = nullptr);

/// config.model, whose CRF keeps no filters where augmentation changes every image.
ModelOptions model_options(const Config& config);
/// Sets threads and precision of this process. Throws ConfigError when the device is not there.
void apply_run_settings(const Config& config);
/// The model with initial parameters, on the configured device.
std::unique_ptr<Model> make_model(const Config& config);

/// The checkpoint that train.start_from names: a file, or the best of a run.
std::string start_file(const Config& config);
/// Puts the weights and statistics of that file, which another project may have written (cris/run/foreign_names.h),
/// into `model` where name and shape are the same, and says in a line how many there were, which of the model's are not
/// in it and which of it the model has no place for. Throws Error when the file is not a checkpoint or nothing of it
/// fits.
std::string begin_from(Model& model, const Config& config);

/// What the data set is called: the last part of its folder's path.
std::string data_name(const Config& config);
/// The configuration without [run]: what a checkpoint holds, so that its bytes do not depend on threads.
std::string portable_toml(const Config& config);

}  // namespace cris
