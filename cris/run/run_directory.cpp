/// Files that a crash may cut are cut back to the length that the checkpoint counts; SHA256SUMS seals a complete run.
#include "cris/run/run_directory.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>

#include "cris/run/build_facts.h"
#include "cris/run/csv.h"
#include "data/files.h"
#include "data/format_error.h"
#include "data/hash.h"
#include "nn/json_text.h"
#include "tensor/cpu_kernels.h"
#include "tensor/machine/atomic_file.h"

namespace fs = std::filesystem;

namespace cris {

namespace {

constexpr const char* kSums = "SHA256SUMS";
constexpr const char* kMoved = "moved-data.txt";
constexpr const char* kRemoved = "removed.txt";
/// What a run writes under its SHA256SUMS: files by their names, folders with the slash.
constexpr std::array kOwn = {"manifest.json",
                             "config.resolved.toml",
                             "split.txt",
                             "data.sha256",
                             "metrics.jsonl",
                             "epochs.csv",
                             "evaluation.json",
                             "per_image.csv",
                             "curves.csv",
                             "precision_recall.csv",
                             "precision_recall_images.csv",
                             "checkpoints/",
                             "plots/",
                             "overlays/",
                             "maps/",
                             "film/",
                             "nonfinite/"};
/// What it writes beside: these differ from run to run.
constexpr std::array kUnsealed = {kSums, "log.txt", "timing.jsonl", kMoved, kRemoved};

bool is_sealed_name(const std::string& name) {
  return fs::path(name).lexically_normal() == name && std::any_of(kOwn.begin(), kOwn.end(), [&](std::string_view own) {
           return own.ends_with('/') ? name.starts_with(own) : name == own;
         });
}

nlohmann::json read_manifest(const std::string& run) {
  const std::string file = run + "/manifest.json";
  const std::string text = tensor::read_file(file);
  nlohmann::json manifest;
  try {
    manifest = nn::parse_json<nlohmann::json>(text);
  } catch (const tensor::Error&) {
    // Refused below.
  }
  data::require_data(manifest.is_object() && manifest.value("data_sha256", nlohmann::json()).is_string(),
                     "{} is damaged; choose another -o", file);
  return manifest;
}

/// The first file of the data that is not as the run's data.sha256 has it, and how many more there are.
std::string changed_files(const std::string& run, const ExperimentData& data) {
  const std::string file = run + "/data.sha256";
  if (!fs::is_regular_file(file)) return "an image or mask";
  const std::vector<std::string> before = data::lines_of(tensor::read_file(file));
  const std::set<std::string> known(before.begin(), before.end());
  std::string first;
  int64_t others = -1;
  for (const std::string& line : data::lines_of(data.files))
    if (!known.contains(line) && ++others == 0) first = line.substr(std::min<size_t>(line.size(), 66));
  if (others < 0) return "an image or mask";
  return others == 0 ? first : fmt::format("{} and {} more", first, others);
}

/// The configuration as the run has it.
Config read_config_of(const std::string& run) {
  const std::string file = run + "/config.resolved.toml";
  data::require_data(fs::exists(file),
                     "{}: is not a run directory (it has no config.resolved.toml); give the -o of a cris train", run);
  Config config;
  read_config(config, file);
  return config;
}

/// Where the data of the run are: where they were last found, else `written` as seen from here, else the place that
/// `written` meant when the run began.
std::string data_of_run(const std::string& run, const std::string& written) {
  const auto text_of = [](auto&& read) -> std::string {
    try {
      return read();
    } catch (const std::exception&) {
      return "";
    }
  };
  std::string moved = text_of([&] { return tensor::read_file(run + "/" + kMoved); });
  moved.resize(std::min(moved.find('\n'), moved.size()));
  std::error_code unknown;
  for (const std::string& folder : {moved, written, text_of([&] { return read_manifest(run).value("data", ""); })})
    if (!folder.empty() && fs::is_directory(folder, unknown)) return folder;
  return written;
}

}  // namespace

bool is_own_name(const std::string& relative) {
  return is_sealed_name(relative) || is_sealed_name(relative + "/") ||
         std::find(kUnsealed.begin(), kUnsealed.end(), relative) != kUnsealed.end();
}

std::vector<std::string> own_files(const std::string& run, bool half_written) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    const std::string name = entry.path().lexically_relative(run).string();
    const auto is_part_of = [&](std::string_view own) { return name.starts_with(own); };
    const bool own =
        half_written ? std::any_of(kOwn.begin(), kOwn.end(), is_part_of) || is_part_of(kSums) : is_sealed_name(name);
    if (entry.is_regular_file() && own && name.ends_with(".partial") == half_written) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void require_same_data(const std::string& run, const Config& config, const ExperimentData& data) {
  data::require_data(read_manifest(run).value("data_sha256", "") == data.hash,
                     "{}: {} of {} changed since this run began; restore it or choose another -o", run,
                     changed_files(run, data), config.data.dir);
  const std::string moved = run + "/" + kMoved, here = fs::absolute(config.data.dir).lexically_normal();
  std::error_code unknown;
  if (fs::equivalent(config_of_run(run).data.dir, here, unknown)) return;
  try {
    tensor::write_file_atomically(moved, here + "\n");
  } catch (const tensor::Error&) {
    // A run that cannot be written is told each time.
  }
}

AppendOnlyFile::AppendOnlyFile(std::string path)
    : path_(std::move(path)), file_(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  tensor::require(file_ >= 0, "{}: cannot be written: {}", path_, std::strerror(errno));
  if (!fs::is_regular_file(path_)) {
    close(file_);
    throw tensor::Error(fmt::format("{}: is not a regular file; remove it or choose another -o", path_));
  }
  bytes_ = lseek(file_, 0, SEEK_END);
  tensor::sync_folder_of(path_);
}

AppendOnlyFile::~AppendOnlyFile() { close(file_); }

void AppendOnlyFile::fail(const char* what) {
  throw tensor::Error(fmt::format("{}: cannot be {}: {}; run the same command again once that is mended", path_, what,
                                  std::strerror(errno)));
}

void AppendOnlyFile::truncate(int64_t bytes) {
  if (ftruncate(file_, bytes) != 0) fail("cut");
  bytes_ = lseek(file_, 0, SEEK_END);
}

void AppendOnlyFile::go_back(int64_t bytes, const std::string& sha256) {
  const std::string content = tensor::read_file(path_);
  tensor::require(
      int64_t(content.size()) >= bytes && data::sha256(std::string_view(content).substr(0, size_t(bytes))) == sha256,
      "{}: its first {} bytes are not those that the checkpoint continues: it was changed; start again in a new "
      "directory",
      path_, bytes);
  truncate(bytes);
}

std::string AppendOnlyFile::sha256() const { return data::sha256(tensor::read_file(path_)); }

void AppendOnlyFile::append(const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = write(file_, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("written");
    done += size_t(n);
    bytes_ += n;
  }
}

void AppendOnlyFile::sync() {
  if (fdatasync(file_) != 0) fail("written");
  // Some file systems report a full disk only when a file is closed.
  if (const int copy = dup(file_); copy < 0 || close(copy) != 0) fail("closed");
}

std::string log_line(const std::string& text) {
  const std::time_t t = std::time(nullptr);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&t));
  return fmt::format("{} {}\n", stamp, text);
}

RunDirectory::RunDirectory(std::string path) : path_(std::move(path)), lock_(path_) {
  std::error_code failed;
  for (const char* part : {"/checkpoints", "/plots", "/overlays"}) {
    fs::create_directories(path_ + part, failed);
    tensor::require(!failed, "{}{}: cannot be created: {}; choose another -o", path_, part, failed.message());
  }
  // The directory may hold a person's files too.
  for (const std::string& name : own_files(path_, true)) fs::remove(file(name), failed);
}

RunDirectory::~RunDirectory() {
  // Where nothing came of it, nothing of it stays.
  for (const char* part : {"/checkpoints", "/plots", "/overlays"}) rmdir((path_ + part).c_str());
}

bool RunDirectory::has(const std::string& name) const { return fs::exists(file(name)); }

void RunDirectory::begin(const Config& config, const ExperimentData& data, const std::string& command) {
  data_dir_ = config.data.dir;
  if (has("manifest.json")) {
    const Config before = read_config_of(path_);
    data_dir_ = before.data.dir;
    for (const std::string& d : differences(before, config)) {
      // Data and split are known by their content, which is compared below.
      if (d.starts_with("run.") || d.starts_with("train.epochs:") || d.starts_with("data.dir:") ||
          d.starts_with("data.split:"))
        continue;
      throw ConfigError(fmt::format("{} holds a run of another configuration ({}); choose another -o", path_, d));
    }
    read_manifest(path_);
    const data::Split split = data::read_split(file("split.txt"));
    data::require_data(
        split == data.split,
        "{}: the split changed since this run began ({} training, {} validation and {} test images then, {}, {} "
        "and {} now: images were added or removed, or data.split is another); restore it or choose another -o",
        path_, split.training.size(), split.validation.size(), split.test.size(), data.split.training.size(),
        data.split.validation.size(), data.split.test.size());
    require_same_data(path_, config, data);
    const auto trained = has("epochs.csv") ? int64_t(read_epochs(file("epochs.csv"), true).size()) : 0;
    if (trained > config.train.epochs)
      throw ConfigError(fmt::format("{} has trained {} epochs already, more than train.epochs = {}; choose another -o",
                                    path_, trained, config.train.epochs));
    // A complete run stays as it is, whoever computes; more epochs open it again.
    if (before.train.epochs != config.train.epochs) {
      // Measurements after fewer epochs are not results of this run any more.
      fs::remove(file(kSums));
      fs::remove(file("evaluation.json"));
    } else if (has(kSums)) {
      return;
    }
    Config kept = config;
    kept.data = before.data;
    tensor::write_file_atomically(file("config.resolved.toml"), to_toml(kept));
    return;
  }
  data::require_data(!has("checkpoints/last.safetensors"),
                     "{0}/manifest.json is missing, and {0}/checkpoints holds a run; restore it or choose another -o",
                     path_);
  const std::array<std::pair<const char*, std::string>, 3> first = {{{"config.resolved.toml", to_toml(config)},
                                                                     {"split.txt", data::split_text(data.split)},
                                                                     {"data.sha256", data.files}}};
  // A start that was killed here left some of these as they are written now; everything else is a person's.
  std::vector<std::string> there = own_files(path_);
  for (const char* name : kUnsealed)
    if (has(name)) there.push_back(name);
  for (const std::string& name : there)
    data::require_data(
        std::any_of(first.begin(), first.end(),
                    [&](const auto& f) { return name == f.first && tensor::read_file(file(name)) == f.second; }),
        "{} is there, and would be replaced by this run's; choose another -o", file(name));
  for (const auto& [name, text] : first) tensor::write_file_atomically(file(name), text);
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
  if (!config.train.start_from.empty())
    manifest["start_from"] = {{"file", start_file(config)},
                              {"sha256", data::sha256(tensor::read_file(start_file(config)))}};
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
  Config config = read_config_of(run);
  if (!use.data.empty())
    set_config(config, "data.dir", use.data, "--data");
  else
    config.data.dir = data_of_run(run, config.data.dir);
  if (!config.data.split.empty() && !fs::exists(config.data.split)) config.data.split = run + "/split.txt";
  if (!use.device.empty()) set_config(config, "run.device", use.device, "--device");
  if (config.run.device != tensor::Device::cuda && tensor::needs_cuda(config.run.precision))
    config.run.precision = tensor::Precision::f32;
  if (use.threads) set_config(config, "run.threads", std::to_string(*use.threads), "--threads");
  resolve_config(config);
  return config;
}

std::vector<std::string> removed_on_purpose(const std::string& run) {
  const std::string file = run + "/" + kRemoved;
  return fs::is_regular_file(file) ? data::lines_of(tensor::read_file(file)) : std::vector<std::string>();
}

void remove_on_purpose(const std::string& run, const std::vector<std::string>& names) {
  tensor::remove_abandoned(run, kRemoved);
  std::vector<std::string> all = removed_on_purpose(run);
  const size_t before = all.size();
  for (const std::string& name : names)
    if (fs::exists(run + "/" + name) && std::ranges::find(all, name) == all.end()) all.push_back(name);
  if (all.size() > before)
    tensor::write_file_atomically(run + "/" + kRemoved, fmt::format("{}\n", fmt::join(all, "\n")));
  for (const std::string& name : names) fs::remove(run + "/" + name);
}

nlohmann::json environment() {
  std::string kernels = "none", cpu = "unknown", line;
  try {
    kernels = tensor::cpu_kernels().level;
  } catch (const tensor::Error&) {  // who computes on the cpu is told why
  }
  std::ifstream info("/proc/cpuinfo");
  while (std::getline(info, line)) {
    if (!line.starts_with("model name")) continue;
    cpu = line.substr(line.find(':') + 2);
    break;
  }
  const BuildFacts& facts = build_facts();
  return {{"version", facts.version},
          {"commit", facts.commit},
          {"compiler", facts.compiler},
          {"flags", facts.flags},
          {"cpu", cpu},
          {"kernels", kernels},
          {"fmt", FMT_VERSION}};
}

}  // namespace cris
