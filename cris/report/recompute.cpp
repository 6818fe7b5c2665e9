/// The program that made the records makes them again elsewhere; what is compared is files.
#include "cris/report/recompute.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "cris/report/evaluation.h"
#include "cris/report/first_difference.h"
#include "cris/run/csv.h"
#include "cris/run/memory_plan.h"
#include "cris/run/run_directory.h"
#include "cris/run/trainer.h"
#include "data/files.h"
#include "data/format_error.h"
#include "data/hash.h"
#include "nn/json_text.h"
#include "nn/safetensors.h"
#include "tensor/machine/atomic_file.h"

namespace fs = std::filesystem;

namespace cris {

namespace {

constexpr double kTolerance = 1e-3;
constexpr int64_t kStepsElsewhere = 8;  // rounding grows with every step
constexpr const char *kBest = "checkpoints/best.safetensors", *kLast = "checkpoints/last.safetensors";

/// A folder that goes with its content.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code error;
    path_ = fs::temp_directory_path(error) / "cris-verify-XXXXXX";
    data::require_data(!error && mkdtemp(path_.data()) != nullptr,
                       "no folder can be made in {}; set TMPDIR to a folder with space",
                       std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp");
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct StepCount : Progress {
  int64_t steps = 0, all = 0;
  void step(const Step& s) override { ++steps, all = s.epochs * s.steps; }
};

double tolerance_of(const std::string& run, const Config& config) {
  return other_arithmetic(run, config).empty() ? 0 : kTolerance;
}

nlohmann::json manifest_of(const std::string& run) {
  return nn::parse_json<nlohmann::json>(read_run_file(run + "/manifest.json"));
}

/// The line of metrics.jsonl that differs, with the epoch and the step that it is of.
std::string difference_of_line(size_t line, const std::string& recorded, const std::string& now, double tolerance) {
  std::string place = fmt::format("line {}", line);
  const auto json = nn::parse_json<nlohmann::json>(now);
  for (const char* part : {"epoch", "step"})
    if (json.contains(part)) place += fmt::format(", {} {}", part, json[part].dump());
  try {
    const std::string found = first_difference_json(recorded, now, tolerance);
    return found.empty() ? "" : place + ": " + found;
  } catch (const tensor::Error& e) {
    return place + ": " + e.what();
  }
}

std::string difference_of_tensors(const std::string& recorded, const std::string& recomputed) {
  const auto before = nn::read_safetensors(recorded).tensors, now = nn::read_safetensors(recomputed).tensors;
  for (const auto& [name, tensor] : now) {
    const auto found = before.find(name);
    if (found == before.end()) return fmt::format("has no tensor {}", name);
    if (found->second.bytes != tensor.bytes)
      return fmt::format("tensor {} is not the one that the training makes", name);
  }
  return before.size() == now.size() ? "" : "has more tensors than the network";
}

/// Whether removed.txt says why the file is not there.
bool was_removed(const std::string& run, const std::string& name) {
  const auto removed = removed_on_purpose(run);
  return std::ranges::find(removed, name) != removed.end() && !fs::exists(run + "/" + name);
}

}  // namespace

void require_scratch_folder() { ScratchFolder(); }

std::string other_arithmetic(const std::string& run, const Config& config) {
  const nlohmann::json manifest = manifest_of(run), now = environment();
  for (const char* part : {"cpu", "kernels", "flags", "compiler"}) {
    const nlohmann::json::json_pointer place("/environment/" + std::string(part));
    const nlohmann::json before = manifest.contains(place) ? manifest.at(place) : nlohmann::json("unknown");
    if (before != now.at(part))
      return fmt::format("the run's {} was {}, and here it is {}", part, before.dump(), now.at(part).dump());
  }
  return config.run.device == tensor::Device::cuda ? "the run's manifest does not name its GPU" : "";
}

std::string recompute_measures(const std::string& run, const Config& config, const ExperimentData& data,
                               const Verdict& verdict) {
  if (was_removed(run, kBest))
    return fmt::format("measures cannot be recomputed: {} was removed on purpose (removed.txt)", kBest);
  const double tolerance = tolerance_of(run, config);
  const ScratchFolder scratch;
  const std::string again = scratch.path() + "/evaluation";
  data::create_folder(again);
  fs::copy_file(run + "/epochs.csv", again + "/epochs.csv");  // plots/training.svg is drawn of it
  with_memory_advice(config, Purpose::predict, [&] {
    const auto model = load_model(run, config);
    return evaluate_run(*model, config, data, "test", again);
  });
  std::set<std::string> made;
  for (const std::string& name : own_files(again)) {
    // How many points the curve of all pixels has depends on the last bits.
    if (name == "epochs.csv" || was_removed(run, name) || (tolerance > 0 && name == "precision_recall.csv")) continue;
    made.insert(name);
    // Which images are the worst may too.
    if (tolerance > 0 && !name.ends_with(".csv") && !name.ends_with(".json")) continue;
    verdict(name, first_difference(run + "/" + name, again + "/" + name, tolerance));
  }
  for (const std::string& name : own_files(run))
    for (const char* folder : {"plots/", "overlays/", "maps/", "film/"})
      if (tolerance == 0 && name.starts_with(folder) && !made.contains(name))
        verdict(name, "an evaluation does not make it");
  return fmt::format("measures recomputed with {} of {}: {} files compared", kBest, run, made.size());
}

std::string replay_steps(const std::string& run, const Config& config, const ExperimentData& data, int64_t steps,
                         const Verdict& verdict) {
  const double tolerance = tolerance_of(run, config);
  if (tolerance > 0) steps = std::min(steps, kStepsElsewhere);
  if (!config.train.start_from.empty())
    data::require_data(data::sha256(tensor::read_file(start_file(config))) == manifest_of(run)["start_from"]["sha256"],
                       "{}: is not the file that the run began with", start_file(config));
  const ScratchFolder scratch;
  RunDirectory again(scratch.path() + "/run");
  Config trained = config;
  trained.train.checkpoint_steps = 0;
  StepCount count;
  std::ifstream recorded(run + "/metrics.jsonl");
  std::string found;
  size_t lines = 0;
  const TrainResult result = with_memory_advice(config, Purpose::train, [&] {
    Trainer trainer(trained, data, again, count);
    std::ifstream now(again.file("metrics.jsonl"));
    const auto follow = [&] {
      now.clear();  // the file grows
      std::string before;
      for (std::string line; found.empty() && std::getline(now, line);) {
        ++lines;
        found = std::getline(recorded, before) ? difference_of_line(lines, before, line, tolerance)
                                               : fmt::format("line {} is missing: {}", lines, line);
      }
      return !found.empty();
    };
    const TrainResult r = trainer.train({.stop = [&] { return follow() || count.steps >= steps; }});
    follow();
    return r;
  });
  if (std::string more; result.finished && found.empty() && std::getline(recorded, more))
    found = fmt::format("line {}: the training had ended", lines + 1);
  verdict("metrics.jsonl", found);
  const std::string said = fmt::format("{} of {} steps replayed from the initial weights", count.steps, count.all);
  if (!result.finished || !found.empty()) return said;
  verdict("epochs.csv", first_difference(run + "/epochs.csv", again.file("epochs.csv"), tolerance));
  if (tolerance > 0) return said;
  for (const char* name : {kLast, kBest})
    if (fs::exists(run + "/" + name)) verdict(name, difference_of_tensors(run + "/" + name, again.file(name)));
  return said + ", to the end of the training";
}

}  // namespace cris
