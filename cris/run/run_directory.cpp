/// Run directories.
#include "cris/run/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "cris/run/csv.h"
#include "data/format_error.h"
#include "data/hash.h"
#include "tensor/machine/atomic_file.h"

namespace fs = std::filesystem;

namespace cris {

namespace {

constexpr const char* kSums = "SHA256SUMS";
/// What a run writes under its SHA256SUMS: files by their names, folders with the slash.
constexpr std::array kOwn = {"manifest.json", "config.resolved.toml",
                             "split.txt",     "metrics.jsonl",
                             "epochs.csv",    "evaluation.json",
                             "per_image.csv", "curves.csv",
                             "checkpoints/",  "plots/",
                             "overlays/",     "maps/",
                             "film/",         "nonfinite/"};

/// The run's own files, by their paths in it, in order; or those that a killed process left half-written.
std::vector<std::string> own_files(const std::string& run, bool half_written) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    const std::string name = entry.path().lexically_relative(run).string();
    const auto is = [&](std::string_view own) {
      return half_written || own.ends_with('/') ? name.starts_with(own) : name == own;
    };
    const bool own = std::any_of(kOwn.begin(), kOwn.end(), is) || (half_written && is(kSums));
    if (entry.is_regular_file() && own && name.ends_with(".partial") == half_written) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

AppendOnlyFile::AppendOnlyFile(std::string path)
    : path_(std::move(path)), file_(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (file_ < 0) throw tensor::Error(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
  if (!fs::is_regular_file(path_)) {
    close(file_);
    throw tensor::Error(fmt::format("{}: is no regular file; remove it or choose another -o", path_));
  }
  bytes_ = lseek(file_, 0, SEEK_END);
}

AppendOnlyFile::~AppendOnlyFile() { close(file_); }

void AppendOnlyFile::truncate(int64_t bytes) {
  if (ftruncate(file_, bytes) != 0)
    throw tensor::Error(fmt::format("{}: cannot be cut: {}", path_, std::strerror(errno)));
  bytes_ = lseek(file_, 0, SEEK_END);
}

void AppendOnlyFile::go_back(int64_t bytes, const std::string& sha256) {
  const std::string content = tensor::read_file(path_);
  if (int64_t(content.size()) < bytes || data::sha256(std::string_view(content).substr(0, size_t(bytes))) != sha256)
    throw tensor::Error(
        fmt::format("{}: its first {} bytes are not those that the checkpoint continues: it was changed; start again "
                    "in a new directory",
                    path_, bytes));
  truncate(bytes);
}

std::string AppendOnlyFile::sha256() const { return data::sha256(tensor::read_file(path_)); }

void AppendOnlyFile::append(const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = write(file_, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      throw tensor::Error(fmt::format("{}: cannot be written: {}; run the same command again once that is mended",
                                      path_, std::strerror(errno)));
    done += size_t(n);
    bytes_ += n;
  }
}

RunDirectory::RunDirectory(std::string path) : path_(std::move(path)), lock_(-1) {
  std::error_code failed;
  for (const char* part : {"", "/checkpoints", "/plots", "/overlays"}) {
    fs::create_directories(path_ + part, failed);
    if (failed)
      throw tensor::Error(fmt::format("{}{}: cannot be created: {}; choose another -o", path_, part, failed.message()));
  }
  const std::string log = file("log.txt");
  lock_ = open(log.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0)
    throw tensor::Error(fmt::format("{}: cannot be written: {}; choose another -o", log, std::strerror(errno)));
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    close(lock_);
    throw tensor::Error(
        fmt::format("{}: another process is working in this run; wait for it or choose another -o", path_));
  }
  // The directory may hold a person's files too.
  for (const std::string& name : own_files(path_, true)) fs::remove(file(name), failed);
}

RunDirectory::~RunDirectory() { close(lock_); }

bool RunDirectory::has(const std::string& name) const { return fs::exists(file(name)); }

void RunDirectory::begin(const Config& config, const ExperimentData& data, const std::string& command) {
  if (has("manifest.json")) {
    const Config before = config_of_run(path_);
    for (const std::string& d : differences(before, config)) {
      if (d.starts_with("run.") || d.starts_with("train.epochs:")) continue;
      throw ConfigError(fmt::format("{} holds a run of another configuration ({}); choose another -o", path_, d));
    }
    const auto manifest = nlohmann::json::parse(tensor::read_file(file("manifest.json")), nullptr, false);
    data::require_data(manifest.is_object() && manifest.value("data_sha256", nlohmann::json()).is_string(),
                       "{}/manifest.json is damaged; choose another -o", path_);
    const data::Split split = data::read_split(file("split.txt"));
    data::require_data(
        split == data.split,
        "{}: the split changed since this run began ({} training, {} validation and {} test images then, {}, {} "
        "and {} now: images were added or removed, or data.split is another); restore it or choose another -o",
        path_, split.training.size(), split.validation.size(), split.test.size(), data.split.training.size(),
        data.split.validation.size(), data.split.test.size());
    data::require_data(manifest.value("data_sha256", "") == data.hash,
                       "{}: an image or mask of {} changed since this run began; restore it or choose another -o",
                       path_, config.data.dir);
    const auto trained = has("epochs.csv") ? int64_t(read_epochs(file("epochs.csv"), true).size()) : 0;
    if (trained > config.train.epochs)
      throw ConfigError(fmt::format("{} has trained {} epochs already, more than train.epochs = {}; choose another -o",
                                    path_, trained, config.train.epochs));
    // A complete run stays as it is, whoever computes; more epochs open it again.
    if (before.train.epochs != config.train.epochs)
      fs::remove(file(kSums));
    else if (has(kSums))
      return;
    tensor::write_file_atomically(file("config.resolved.toml"), to_toml(config));
    return;
  }
  data::require_data(!has("checkpoints/last.safetensors"),
                     "{0}/manifest.json is missing, and {0}/checkpoints holds a run; restore it or choose another -o",
                     path_);
  tensor::write_file_atomically(file("config.resolved.toml"), to_toml(config));
  data::write_split(file("split.txt"), data.split);
  nlohmann::ordered_json manifest = {{"command", command},
                                     {"seed", config.train.seed},
                                     {"data", fs::absolute(config.data.dir).lexically_normal().string()},
                                     {"data_sha256", data.hash},
                                     {"split_sha256", data::split_hash(data.split)},
                                     {"split_protocol", data.split.protocol},
                                     {"images",
                                      {{"training", data.split.training.size()},
                                       {"validation", data.split.validation.size()},
                                       {"test", data.split.test.size()}}},
                                     {"device", name(config.run.device)},
                                     {"precision", name(config.run.precision)},
                                     {"environment", environment()}};
  // The command may hold bytes that are no UTF-8: they are replaced.
  tensor::write_file_atomically(file("manifest.json"),
                                manifest.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void RunDirectory::seal() {
  std::string sums;
  for (const std::string& name : own_files(path_, false))
    sums += fmt::format("{}  {}\n", data::sha256(tensor::read_file(file(name))), name);
  tensor::write_file_atomically(file(kSums), sums);
}

Config config_of_run(const std::string& run, const RunUse& use) {
  const std::string file = run + "/config.resolved.toml";
  if (!fs::exists(file))
    throw data::FormatError(
        fmt::format("{}: is no run directory (it has no config.resolved.toml); give the -o of a cris train", run));
  Config config;
  read_config(config, file);
  if (!use.data.empty()) set_config(config, "data.dir", use.data, "--data");
  if (!use.device.empty()) set_config(config, "run.device", use.device, "--device");
  if (config.run.device != tensor::Device::cuda && tensor::needs_cuda(config.run.precision))
    config.run.precision = tensor::Precision::f32;
  if (use.threads) set_config(config, "run.threads", std::to_string(*use.threads), "--threads");
  resolve_config(config);
  return config;
}

nlohmann::json environment() {
  std::string cpu = "unknown", line;
  std::ifstream info("/proc/cpuinfo");
  while (std::getline(info, line)) {
    if (!line.starts_with("model name")) continue;
    cpu = line.substr(line.find(':') + 2);
    break;
  }
  return {{"version", CRIS_VERSION},
          {"commit", CRIS_COMMIT},
          {"compiler", CRIS_COMPILER},
          {"flags", CRIS_FLAGS},
          {"cpu", cpu},
          {"fmt", FMT_VERSION}};
}

}  // namespace cris
