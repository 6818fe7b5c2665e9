/// Which piece is next, and who may take it.
#include "cris/study/work.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include "cris/nonfinite.h"
#include "cris/run/memory_plan.h"
#include "cris/run/run_directory.h"
#include "cris/study/complete_run.h"
#include "cris/study/status.h"
#include "data/dataset.h"
#include "data/format_error.h"
#include "tensor/machine/atomic_file.h"

namespace fs = std::filesystem;

namespace cris {

namespace {

constexpr const char* kPlanFile = "plan.toml";

class StudyWork {
 public:
  StudyWork(const Plan& plan, const Worker& worker, Progress& progress)
      : plan_(plan), worker_(worker), progress_(progress) {}

  WorkDone run() {
    keep_plan();
    for (;;) {
      Work most = Work::nothing_left;
      for (const Cell& cell : plan_.cells) {
        if (worker_.stop()) return end(WorkDone::stopped);
        const Work piece = take_piece(cell);
        if (piece == Work::stopped) return end(WorkDone::stopped);
        if (piece == Work::done || (piece == Work::busy && most == Work::nothing_left)) most = piece;
        // What comes first in the plan may have become free meanwhile.
        if (piece == Work::done) break;
      }
      if (most == Work::nothing_left) return end(WorkDone::complete);
      if (most == Work::busy && !worker_.wait) return end(WorkDone::others_at_work);
      if (most == Work::busy) pause();
    }
  }

 private:
  const Plan& plan_;
  const Worker& worker_;
  Progress& progress_;
  std::map<std::string, std::string> failed_;                           // by cell or run
  std::pair<std::string, std::shared_ptr<const ExperimentData>> data_;  // of the cell that was tuned last
  bool said_waiting_ = false;
  const Cell* said_ = nullptr;  // the cell last named

  void say(const Cell& cell) {
    if (said_ != &cell) progress_.message(cell_line(plan_, cell));
    said_ = &cell;
  }

  WorkDone end(WorkDone::End how) const {
    WorkDone done{.end = how};
    for (const auto& [what, message] : failed_) done.failed.push_back(message);
    return done;
  }

  void keep_plan() {
    if (fs::exists(kPlanFile)) {
      if (tensor::read_file(kPlanFile) == plan_.text) return;
      require_continues(read_plan(kPlanFile), plan_);
    }
    tensor::write_file_atomically(kPlanFile, plan_.text);
  }

  void pause() {
    if (!said_waiting_) progress_.message("other workers hold all that is left; waiting for them");
    said_waiting_ = true;
    for (int tenths = 0; tenths < 20 && !worker_.stop(); ++tenths)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }

  /// On this cell. busy: others hold what is left of it, or it waits for theirs.
  Work take_piece(const Cell& cell) {
    std::vector<int64_t> seeds;
    for (const int64_t seed : plan_.seeds) {
      const std::string run = run_folder(cell, seed);
      if (has_failed(run))
        failed_.emplace(
            run,
            fmt::format("{}: met a value that is not finite (see its log.txt); remove the folder to try again", run));
      else if (is_complete_run(run))
        drop_models(cell, run);
      else
        seeds.push_back(seed);
    }
    if (seeds.empty() || failed_.contains(cell.name)) return Work::nothing_left;
    try {
      if (!fs::exists(data_folder(cell))) prepare_data(cell);
      const Work tuning = tune(cell);
      return tuning != Work::nothing_left || failed_.contains(cell.name) ? tuning : train(cell, seeds);
    } catch (const tensor::FolderInUse&) {
      return Work::busy;
    }
  }

  void prepare_data(const Cell& cell) {
    const std::string out = data_folder(cell);
    const auto given = worker_.data.find(cell.set);
    if (given == worker_.data.end())
      throw ConfigError(fmt::format("give --data {}=DIR: {} is not made yet", cell.set, out));
    const data::Dataset dataset = data::open_dataset(given->second);
    const int64_t expected = set_of(plan_, cell.set).images;
    data::require_data(expected == 0 || int64_t(dataset.pairs.size()) == expected,
                       "{} holds {} pairs, and {} says that {} has {}; give its folder", given->second,
                       dataset.pairs.size(), plan_.file, cell.set, expected);
    const fs::path folder = out;
    const tensor::FolderLock lock(folder.parent_path(), "." + cell.set + ".prepare.lock", out);
    if (fs::exists(folder)) return;
    const int64_t size = cell.config.data.size;
    progress_.message(fmt::format("{}: shrinking {} pairs to {} x {}", out, dataset.pairs.size(), size, size));
    data::prepare_dataset(dataset, out, size, size, int(worker_.threads));
  }

  /// For the weights that this run of the cell starts from: those of a final run of another cell.
  bool waits_for_weights(const Cell& cell, int64_t seed) {
    if (cell.begins_with.empty()) return false;
    const std::string run = run_folder(cell_of(plan_, cell.begins_with), seed);
    const bool complete = is_complete_run(run);
    if (failed_.contains(cell.begins_with) || failed_.contains(run) ||
        (complete && !fs::exists(run + "/checkpoints/best.safetensors")))
      failed_.emplace(cell.name, fmt::format("{}: {} has no weights to begin with{}", cell.name, run,
                                             complete ? " any more; study.keep_models = true keeps them" : ""));
    return !complete || failed_.contains(cell.name);
  }

  /// One trial; nothing when the cell has them all.
  Work tune(const Cell& cell) {
    if (plan_.trials == 0) return Work::nothing_left;
    Tuning tuning = tuning_of(plan_, cell);
    const TuningState before = state_of(tuning);
    if (before.ended() >= plan_.trials && before.running == 0) {
      if (!before.best)
        failed_.emplace(cell.name, fmt::format("{}: none of its {} trials came to its end", cell.name, plan_.trials));
      return Work::nothing_left;
    }
    if (!cell.tuned || waits_for_weights(cell, plan_.seeds[0]))
      return failed_.contains(cell.name) ? Work::nothing_left : Work::busy;
    const tensor::FolderLock lock(trials_folder(cell), ".tuning.lock");
    tuning.base = on_this_machine(tuning.base, worker_.device, worker_.threads);
    say(cell);
    apply_run_settings(tuning.base);
    tuning.data = data_of(cell, tuning.base);
    return with_memory_advice(tuning.base, Purpose::train,
                              [&] { return work_on_tuning(tuning, worker_.stop, progress_); });
  }

  std::shared_ptr<const ExperimentData> data_of(const Cell& cell, const Config& config) {
    if (data_.first != cell.name) {
      data_ = {cell.name, std::make_shared<const ExperimentData>(open_data(config))};
      require_batches(config, *data_.second);
      require_memory(config, data_.second->training->size());
      for (const std::string& note : decode_all(*data_.second, int(config.run.threads))) progress_.message(note);
    }
    return data_.second;
  }

  /// The first of the runs that is free.
  Work train(const Cell& cell, const std::vector<int64_t>& seeds) {
    const TuningState tuned = plan_.trials > 0 ? state_of(tuning_of(plan_, cell)) : TuningState{};
    for (const int64_t seed : seeds) {
      const std::string out = run_folder(cell, seed);
      if (waits_for_weights(cell, seed)) continue;
      Config config = final_config(plan_, cell, seed);
      for (const auto& [key, value] : tuned.best_settings) set_config(config, key, value, kJournal);
      say(cell);
      StepsOnly steps(progress_);
      try {
        const CompleteRun run = complete_run(
            on_this_machine(config, worker_.device, worker_.threads), out,
            {.command = fmt::format("cris study work, run {}", out), .train = {.stop = worker_.stop}}, steps);
        if (!run.complete) return Work::stopped;
        if (run.evaluation)
          progress_.message(fmt::format("{}: test Dice {:.4f} at {:.2f}, model of epoch {} of {}", out,
                                        run.evaluation->chosen.dice, run.evaluation->chosen.threshold,
                                        run.result.best_epoch + 1, run.result.epochs));
      } catch (const tensor::FolderInUse&) {
        continue;
      } catch (const NonFiniteError& e) {
        failed_.emplace(out, fmt::format("{}: {}", out, e.what()));
      }
      return Work::done;
    }
    return failed_.contains(cell.name) ? Work::nothing_left : Work::busy;
  }

  /// Checkpoints are large, and their hashes stay in the run's SHA256SUMS.
  void drop_models(const Cell& cell, const std::string& out) const {
    const bool begun_from = std::ranges::any_of(plan_.cells, [&](const Cell& c) { return c.begins_with == cell.name; });
    std::vector<std::string> large = {"checkpoints/last.safetensors"};
    if (!plan_.keep_models && !begun_from) large.push_back("checkpoints/best.safetensors");
    remove_on_purpose(out, large);
  }
};

}  // namespace

WorkDone work_on_study(const Plan& plan, const Worker& worker, Progress& progress) {
  return StudyWork(plan, worker, progress).run();
}

}  // namespace cris
