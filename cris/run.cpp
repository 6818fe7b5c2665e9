/// Run directories.
#include "cris/run.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "data/format_error.h"
#include "data/hash.h"
#include "tensor/atomic_file.h"

namespace fs = std::filesystem;

namespace cris {

GrowingFile::GrowingFile(std::string path)
    : path_(std::move(path)), file_(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (file_ < 0) throw tensor::Error(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
  bytes_ = lseek(file_, 0, SEEK_END);
}

GrowingFile::~GrowingFile() { close(file_); }

void GrowingFile::truncate(int64_t bytes) {
  if (bytes > bytes_) {
    throw tensor::Error(fmt::format(
        "{}: has {} bytes, the checkpoint expects at least {}: it was changed; start again in a new directory", path_,
        bytes_, bytes));
  }
  if (ftruncate(file_, bytes) != 0)
    throw tensor::Error(fmt::format("{}: cannot be cut: {}", path_, std::strerror(errno)));
  bytes_ = lseek(file_, 0, SEEK_END);
}

void GrowingFile::append(const std::string& text) {
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
  // What a killed process was writing.
  for (const auto& entry : fs::recursive_directory_iterator(path_))
    if (entry.path().extension() == ".partial") fs::remove(entry.path(), failed);
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
    const std::string was = manifest.is_object() ? manifest.value("data_sha256", "") : "";
    if (was != data.hash)
      throw ConfigError(
          fmt::format("{}: the images or the split changed since this run began; choose another -o", path_));
    if (differences(before, config).empty()) return;
    fs::remove(file("SHA256SUMS"));
    tensor::write_file_atomically(file("config.resolved.toml"), to_toml(config));
    return;
  }
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
                                     {"device", config.run.device},
                                     {"precision", config.run.precision},
                                     {"environment", environment()}};
  tensor::write_file_atomically(file("manifest.json"), manifest.dump(2) + "\n");
}

void RunDirectory::seal() {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(path_)) {
    const std::string name = fs::relative(entry.path(), path_).string();
    if (entry.is_regular_file() && name != "log.txt" && name != "timing.jsonl" && name != "SHA256SUMS")
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  std::string sums;
  for (const std::string& name : names)
    sums += fmt::format("{}  {}\n", data::sha256(tensor::read_file(file(name))), name);
  tensor::write_file_atomically(file("SHA256SUMS"), sums);
}

Config config_of_run(const std::string& run) {
  const std::string file = run + "/config.resolved.toml";
  if (!fs::exists(file))
    throw data::FormatError(
        fmt::format("{}: is no run directory (it has no config.resolved.toml); give the -o of a cris train", run));
  Config config;
  read_config(config, file);
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
