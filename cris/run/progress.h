/// What a person sees while a run works: a bar that redraws itself on a terminal, a plain line every 10 s elsewhere.
#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

namespace cris {

/// The state of one epoch, as of its last step.
struct Step {
  int64_t epoch = 0, epochs = 0, step = 0, steps = 0;  ///< epoch and step count from 1
  double loss = 0, dice = -1;                          ///< dice: of the latest validation; negative: none yet
  double data_ms = 0, step_ms = 0, images_per_second = 0, eta_seconds = 0;
  int64_t memory_bytes = 0;
};

/// Receives progress. Libraries print nothing: a program passes one that does.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void step(const Step&) {}
  /// A line that stays: the end of an epoch, a checkpoint, a resume.
  virtual void message(const std::string&) {}
};

/// Passes steps on and keeps messages back: for work of many runs, whose messages stand in each run's log.txt.
class StepsOnly : public Progress {
 public:
  explicit StepsOnly(Progress& progress) : progress_(progress) {}
  void step(const Step& s) override { progress_.step(s); }

 private:
  Progress& progress_;
};

/// Writes to `file`. Colours unless NO_COLOR is set or `file` is not a terminal. What cannot be written is passed over:
/// work goes on without its reader.
class ConsoleProgress : public Progress {
 public:
  explicit ConsoleProgress(std::FILE* file);
  ~ConsoleProgress() override;
  void step(const Step& s) override;
  void message(const std::string& text) override;

 private:
  using Clock = std::chrono::steady_clock;
  std::FILE* file_;
  bool terminal_, colour_, bar_shown_ = false;
  Clock::time_point last_ = Clock::now();
  void clear_bar();
  void show(const std::string& text);
};

/// "1 h 02 min", "3 min 20 s", "12 s".
std::string duration_text(double seconds);
/// "512 MB", "1.4 GB" (powers of ten).
std::string bytes_text(int64_t bytes);

}  // namespace cris
