/// A run directory: what is in it, and files that grow line by line yet end with the same bytes after a crash.
///
/// manifest.json, config.resolved.toml, split.txt; metrics.jsonl, epochs.csv; per_image.csv, evaluation.json,
/// curves.csv; checkpoints/{last,best}.safetensors; plots/*.svg; overlays/*.png; SHA256SUMS of all of these, once
/// complete. log.txt and timing.jsonl hold times, so they differ from run to run and are not in SHA256SUMS.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cris/config.h"
#include "cris/experiment.h"

namespace cris {

/// A text file that grows, whose length is part of the checkpoint: a resumed run cuts off what came after it.
class GrowingFile {
 public:
  explicit GrowingFile(std::string path);
  ~GrowingFile();
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;
  int64_t bytes() const { return bytes_; }
  /// Cuts the file to its first `bytes`. Throws Error when it is shorter: something else changed it.
  void truncate(int64_t bytes);
  /// Throws Error naming the file and the system's reason.
  void append(const std::string& text);

 private:
  std::string path_;
  int file_;
  int64_t bytes_;
};

class RunDirectory {
 public:
  /// Creates the directory and takes its lock. Throws Error when another process works in it or it cannot be written.
  explicit RunDirectory(std::string path);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  bool has(const std::string& name) const;
  /// For a new run: writes config, split and manifest. For an old one: throws ConfigError when its configuration or its
  /// data differ in more than run.* and train.epochs.
  void begin(const Config& config, const ExperimentData& data, const std::string& command);
  /// Writes SHA256SUMS over every file but log.txt and timing.jsonl.
  void seal();

 private:
  std::string path_;
  int lock_;
};

/// The resolved configuration of a run. Throws data::FormatError when `run` is no run directory.
Config config_of_run(const std::string& run);
/// {version, compiler, flags, cpu, ...} of this program and machine.
nlohmann::json environment();

}  // namespace cris
