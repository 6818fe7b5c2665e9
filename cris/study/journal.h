/// Optuna's journal file (its JournalFileBackend): a JSON object a line, each an operation on studies and trials, so
/// that cris, `optuna` and `optuna-dashboard` read and continue one another's studies.
///
/// Studies and trials are numbered from 0 in the order of the file. A number may be NaN, Infinity or -Infinity, as
/// Python writes it. A last line without its end is what a killed writer left: readers pass it over, and the next of
/// our writers cuts it off.
///
/// The lock of writers is Optuna's, FILE.lock, made as a symbolic link: its JournalFileSymlinkLock (the default) and
/// its JournalFileOpenLock respect that, and we respect theirs. Our writers hold flock on the journal too, which ends
/// with the process: so a lock that a killed cris left is known as such and removed at once; Optuna, and we with a lock
/// that Optuna left, wait 30 s.
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cris/study/trial.h"

namespace cris {

using JournalLine = nlohmann::ordered_json;
/// op_code
enum JournalOperation {
  kCreateStudy,
  kDeleteStudy,
  kSetStudyUser,
  kSetStudySystem,
  kCreateTrial,
  kSetParameter,
  kSetState,
  kReport,
  kSetTrialUser,
  kSetTrialSystem,
  kDiscard
};

struct StudyRecord {
  int64_t id = 0;
  std::string name;
  std::vector<int> directions;                         ///< of its values: 1 to minimise, 2 to maximise
  std::map<std::string, std::string> attributes = {};  ///< system attributes, each as JSON
  std::vector<Trial> trials = {};                      ///< by number
};

/// What the lines of a journal so far say.
class JournalState {
 public:
  /// Throws Error when the line is no operation of a journal. What refers to a study or trial that does not exist, or
  /// changes a trial that ended, does nothing, as in Optuna.
  void apply(const JournalLine& line);
  /// Null when there is none.
  const StudyRecord* study(const std::string& name) const;
  std::vector<std::string> study_names() const;
  const StudyRecord* study(int64_t id) const;
  /// The trial with this id, and its study; null when there is none.
  const Trial* trial(int64_t id) const;
  const StudyRecord* study_of(int64_t trial_id) const;

 private:
  std::vector<StudyRecord> studies_;                      // by id; deleted ones lose their name
  std::vector<std::pair<int64_t, int64_t>> trials_ = {};  // by id: study, number
  Trial* changeable(int64_t id);
};

/// The line as it stands in the file, with its end.
std::string journal_text(const JournalLine& line);

struct JournalContent {
  std::vector<JournalLine> lines;
  JournalState state;
};
/// Throws Error naming the file, the line and the remedy. A file that is missing reads as an empty one.
JournalContent read_journal(const std::string& path);

/// A journal held for writing: nobody else appends as long as this lives.
class JournalSession {
 public:
  /// Waits for the lock. Throws Error as read_journal, and when the file or its lock cannot be written.
  explicit JournalSession(const std::string& path);
  ~JournalSession();
  JournalSession(const JournalSession&) = delete;
  JournalSession& operator=(const JournalSession&) = delete;
  const JournalContent& content() const { return content_; }
  const JournalState& state() const { return content_.state; }
  /// Adds worker_id to each line and appends them together, on the disk when this returns. Throws Error when they
  /// cannot be written (a full disk), and leaves the file as it was.
  void append(std::vector<JournalLine> lines);

 private:
  JournalSession() = default;  // holds nothing yet: what the other constructor takes, the destructor gives back
  std::string path_;
  int file_ = -1;
  bool named_ = false;  // the lock FILE.lock is ours
  JournalContent content_;
  void lock_file();
  void lock_name();
};

/// The present time as journals have it: 2024-06-01T10:00:00.000000+00:00.
std::string journal_time();

}  // namespace cris
