/// A run directory: what is in it, and files that grow line by line yet end with the same bytes after a crash.
///
/// manifest.json, config.resolved.toml, split.txt, data.sha256; metrics.jsonl, epochs.csv; per_image.csv,
/// evaluation.json, curves.csv; checkpoints/{last,best}.safetensors; plots/*.svg; overlays/*.png; SHA256SUMS of all of
/// these, once complete. log.txt and timing.jsonl hold times, moved-data.txt where the data lie now, removed.txt what
/// was removed on purpose: they are not in SHA256SUMS.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cris/run/config.h"
#include "cris/run/experiment.h"
#include "tensor/machine/folder_lock.h"

namespace cris {

/// A text file that grows, whose length is part of the checkpoint: a resumed run cuts off what came after it.
class AppendOnlyFile {
 public:
  explicit AppendOnlyFile(std::string path);
  ~AppendOnlyFile();
  AppendOnlyFile(const AppendOnlyFile&) = delete;
  AppendOnlyFile& operator=(const AppendOnlyFile&) = delete;
  int64_t bytes() const { return bytes_; }
  /// Cuts the file to its first `bytes`. Throws Error when it is shorter: something else changed it.
  void truncate(int64_t bytes);
  /// Cuts it to its first `bytes` bytes. Throws Error, and cuts nothing, when their SHA-256 is another.
  void go_back(int64_t bytes, const std::string& sha256);
  std::string sha256() const;
  /// Throws Error naming the file and the system's reason.
  void append(const std::string& text);
  /// What was appended outlives a power cut from here on. Throws Error as append.
  void sync();

 private:
  std::string path_;
  int file_;
  int64_t bytes_;
  [[noreturn]] void fail(const char* what);
};

/// A line of log.txt: the time (UTC), then `text`.
std::string log_line(const std::string& text);

class RunDirectory {
 public:
  /// Creates the directory, takes its lock and removes what a killed process left half-written. Throws Error when
  /// another process works in it or it cannot be written.
  explicit RunDirectory(std::string path);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  bool has(const std::string& name) const;
  /// For a new run: writes config, split, the data's hashes and manifest; throws FormatError where a person's files
  /// would be replaced. For an old one: throws ConfigError when its configuration differs in more than run.*,
  /// train.epochs and where its data lie, FormatError when its data or its split differ.
  void begin(const Config& config, const ExperimentData& data, const std::string& command);
  /// Where the data lay when the run began: that is part of its checkpoints.
  const std::string& data_dir() const { return data_dir_; }
  /// Writes SHA256SUMS over the files that are the run's own (see above): evaluations and notes that came later may
  /// change.
  void seal();
  /// Throws Error when the directory was moved or replaced since it was locked: its path leads elsewhere.
  void check_place() const { lock_.check_place(); }

 private:
  std::string path_, data_dir_;
  tensor::FolderLock lock_;
};

/// What may differ when a run is used again: where its data lie now, and who computes. Empty: as in the run.
struct RunUse {
  std::string data = {}, device = {};
  std::optional<int64_t> threads = {};
};
/// The resolved configuration of a run, for that use; a precision that only CUDA has becomes f32 on other devices.
/// Throws data::FormatError when `run` is not a run directory, ConfigError when its file or `use` is wrong.
Config config_of_run(const std::string& run, const RunUse& use = {});
/// Removes large files of a complete run, whose hashes stay in its SHA256SUMS; its removed.txt says so first.
void remove_on_purpose(const std::string& run, const std::vector<std::string>& names);
/// What removed.txt of a run lists.
std::vector<std::string> removed_on_purpose(const std::string& run);
/// What every complete run has.
constexpr const char* kAlwaysSealed[] = {"manifest.json",
                                         "config.resolved.toml",
                                         "split.txt",
                                         "metrics.jsonl",
                                         "epochs.csv",
                                         "evaluation.json",
                                         "per_image.csv",
                                         "curves.csv",
                                         "checkpoints/last.safetensors",
                                         "checkpoints/best.safetensors"};
/// Whether a run keeps its own files at this place, relative to it: checkpoints, checkpoints/x.safetensors, epochs.csv.
bool is_own_name(const std::string& relative);
/// The run's own files that are there, by their paths in it, in order; or those that a killed process left
/// half-written.
std::vector<std::string> own_files(const std::string& run, bool half_written = false);
/// Throws data::FormatError, naming the first file that changed, when `data` is not what the run was trained on. Data
/// that are the same but lie elsewhere than the run says are found there from now on, if the run can be written.
void require_same_data(const std::string& run, const Config& config, const ExperimentData& data);
/// {version, compiler, flags, cpu, kernels, ...} of this program and machine; kernels: tensor/cpu_kernels.h.
nlohmann::json environment();

}  // namespace cris
