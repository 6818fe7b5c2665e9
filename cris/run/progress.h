/// What is seen while a command works: for people a bar that redraws itself on a terminal and a plain line every 10 s
/// elsewhere; for programs a line of JSON an event.
#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
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
  /// `done` of `all` things are done, as in "decoding 120/1000".
  virtual void count(const std::string& /*what*/, int64_t /*done*/, int64_t /*all*/) {}
  /// A line that stays: the end of an epoch, a checkpoint, a resume.
  virtual void message(const std::string&) {}
  /// What was drawn goes: results follow.
  virtual void end() {}
  /// An epoch ended: its line of metrics.jsonl.
  virtual void epoch(const nlohmann::ordered_json&) {}
};

/// Passes steps on and keeps messages back: for work of many runs, whose messages stand in each run's log.txt.
class StepsOnly : public Progress {
 public:
  explicit StepsOnly(Progress& progress) : progress_(progress) {}
  void step(const Step& s) override { progress_.step(s); }
  void count(const std::string& what, int64_t done, int64_t all) override { progress_.count(what, done, all); }

 private:
  Progress& progress_;
};

/// Writes to `file`, in 80 columns or as many as the terminal has. Colours and a bar unless `file` is not a terminal or
/// TERM is dumb; with NO_COLOR neither colours nor other escape sequences. What cannot be written is passed over: work
/// goes on without its reader.
class ConsoleProgress : public Progress {
 public:
  explicit ConsoleProgress(std::FILE* file);
  ~ConsoleProgress() override;
  void step(const Step& s) override;
  void count(const std::string& what, int64_t done, int64_t all) override;
  void message(const std::string& text) override;
  void end() override { clear_bar(); }

 private:
  using Clock = std::chrono::steady_clock;
  std::FILE* file_;
  bool terminal_, colour_;
  int shown_columns_ = 0;  // of the bar that is there
  Clock::time_point last_ = Clock::now(), began_ = Clock::now();
  std::string counted_;
  bool due();
  void draw(const std::string& head, double share, const std::string& tail);
  void clear_bar();
  void show(const std::string& text);
};

/// Writes to `file` one line of JSON an event, each with "event": step (once a second at most), count, epoch, message.
class JsonProgress : public Progress {
 public:
  explicit JsonProgress(std::FILE* file) : file_(file) {}
  void step(const Step& s) override;
  void count(const std::string& what, int64_t done, int64_t all) override;
  void message(const std::string& text) override;
  void epoch(const nlohmann::ordered_json& line) override;
  /// An event of that name with the fields of `line`.
  void event(const char* name, nlohmann::ordered_json line);

 private:
  std::FILE* file_;
  std::chrono::steady_clock::time_point last_ = {};
  bool due();
};

/// "1 h 02 min", "3 min 20 s", "12 s".
std::string duration_text(double seconds);
/// "512 MB", "1.4 GB" (powers of ten).
std::string bytes_text(int64_t bytes);

}  // namespace cris
