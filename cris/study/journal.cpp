/// Journals: lines, what they mean, and appending to them.
#include "cris/study/journal.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <thread>
#include <utility>

#include "nn/json_text.h"
#include "tensor/machine/atomic_file.h"

namespace cris {

namespace {

/// JSON has no NaN and no infinity: outside texts they become texts.
std::string with_quoted_numbers(const std::string& line) {
  std::string quoted;
  bool text = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (text && c == '\\' && i + 1 < line.size()) {
      quoted += c, quoted += line[++i];
      continue;
    }
    if (c == '"') text = !text;
    bool found = false;
    if (!text)
      for (const std::string word : {"NaN", "-Infinity", "Infinity"})
        if (!found && line.compare(i, word.size(), word) == 0)
          quoted += '"' + word + '"', i += word.size() - 1, found = true;
    if (!found) quoted += c;
  }
  return quoted;
}

double number_in(const JournalLine& value) {
  if (!value.is_string()) return value.get<double>();
  const auto& text = value.get_ref<const std::string&>();
  const double infinity = std::numeric_limits<double>::infinity();
  return text == "Infinity" ? infinity : text == "-Infinity" ? -infinity : std::numeric_limits<double>::quiet_NaN();
}

std::optional<double> first_number(const JournalLine& values) {
  if (values.is_array()) return values.empty() ? std::optional<double>() : number_in(values[0]);
  return values.is_null() ? std::optional<double>() : number_in(values);
}

void add_attributes(const JournalLine& attributes, std::map<std::string, std::string>& all) {
  for (const auto& [key, value] : attributes.items()) all[key] = value.dump();
}

/// The object under this name, empty where there is none.
const JournalLine& object_in(const JournalLine& line, const char* name) {
  static const JournalLine empty = JournalLine::object();
  const auto at = line.find(name);
  return at == line.end() ? empty : *at;
}

Trial new_trial(const JournalLine& line) {
  Trial t{.state = TrialState(line.value("state", 0))};
  for (const auto& [name, text] : object_in(line, "distributions").items())
    t.distributions[name] = text.get<std::string>();
  for (const auto& [name, value] : object_in(line, "params").items()) t.params[name] = number_in(value);
  for (const auto& [step, value] : object_in(line, "intermediate_values").items())
    t.intermediate[std::stoll(step)] = number_in(value);
  add_attributes(object_in(line, "system_attrs"), t.attributes);
  t.value = first_number(line.value("values", JournalLine()));
  if (!t.value) t.value = first_number(line.value("value", JournalLine()));
  tensor::require(t.state != TrialState::complete || t.value, "a complete trial has no value");
  return t;
}

/// Codes, ids and steps are whole numbers that an int holds: JSON has 1e99 too, which becomes none. Throws Error.
void require_whole_numbers(const JournalLine& line) {
  const auto require_whole = [](const char* key, const JournalLine& v) {
    const bool fits = v.is_number_unsigned()  ? std::in_range<int>(v.get<uint64_t>())
                      : v.is_number_integer() ? std::in_range<int>(v.get<int64_t>())
                                              : false;
    tensor::require(fits, "{} {} is not a whole number", key, v.dump());
  };
  for (const char* key : {"op_code", "study_id", "trial_id", "state", "step"})
    if (const auto v = line.find(key); v != line.end()) require_whole(key, *v);
  if (const auto v = line.find("directions"); v != line.end())
    for (const JournalLine& direction : *v) require_whole("directions", direction);
  if (const auto v = line.find("state"); v != line.end())
    tensor::require(*v >= 0 && *v <= int(TrialState::waiting), "state {} is unknown", v->dump());
}

JournalContent parse_journal(const std::string& path, const std::string& text) {
  JournalContent content;
  int64_t number = 0;
  // A last line without an end is a writer's that was killed, zeros are a file system's after a power cut; anything
  // else is somebody's file.
  constexpr std::string_view kStart = "{\"op_code\":";
  const std::string_view tail = std::string_view(text).substr(text.rfind('\n') + 1);
  tensor::require(
      tail.starts_with(kStart) || kStart.starts_with(tail) || tail.find_first_not_of('\0') == std::string_view::npos,
      "{}: its last line is not part of a journal; restore the file, or choose another", path);
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    ++number;
    try {
      content.lines.push_back(nn::parse_json<JournalLine>(with_quoted_numbers(text.substr(at, end - at))));
      content.state.apply(content.lines.back());
    } catch (const std::exception& e) {
      throw tensor::Error(
          fmt::format("{}:{}: this line is not part of a journal ({}); restore the file, or remove the line", path,
                      number, e.what()));
    }
  }
  return content;
}

std::string lock_of(const std::string& path) { return path + ".lock"; }
/// Where our lock points: to the journal, as Optuna's does, but spelled as nobody else spells it.
std::string mark_of(const std::string& path) { return ".//" + std::filesystem::path(path).filename().string(); }

[[noreturn]] void refuse_journal(const std::string& path, const std::string& what, int error) {
  throw tensor::Error(
      fmt::format("{}: {}: {}; mend that, or choose another --study", path, what, std::strerror(error)));
}

/// In one step, so that of two who find the same lock abandoned, the second does not remove the first one's new lock.
void remove_lock(const std::string& path) {
  const std::string moved = fmt::format("{}{}.rename", lock_of(path), getpid());
  if (rename(lock_of(path).c_str(), moved.c_str()) == 0) unlink(moved.c_str());
}

std::string worker_id() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return fmt::format("cris-{}-{}", host.data(), getpid());
}

}  // namespace

void JournalState::apply(const JournalLine& line) {
  require_whole_numbers(line);
  const auto study_in = [&] { return const_cast<StudyRecord*>(study(line.at("study_id").get<int64_t>())); };
  const int op = line.at("op_code");
  if (op == kCreateStudy) {
    const std::string name = line.at("study_name");
    if (!study(name)) studies_.push_back({int64_t(studies_.size()), name, line.at("directions")});
  } else if (op == kDeleteStudy) {
    if (StudyRecord* s = study_in()) s->name.clear();
  } else if (op == kSetStudySystem) {
    if (StudyRecord* s = study_in()) add_attributes(line.at("system_attr"), s->attributes);
  } else if (op == kCreateTrial) {
    StudyRecord* s = study_in();
    if (!s) return;
    Trial t = new_trial(line);
    t.id = int64_t(trials_.size()), t.number = int64_t(s->trials.size());
    trials_.emplace_back(s->id, t.number);
    s->trials.push_back(std::move(t));
  } else if (op == kSetParameter || op == kSetState || op == kReport || op == kSetTrialSystem) {
    Trial* t = changeable(line.at("trial_id"));
    if (!t) return;
    if (op == kSetParameter) {
      const std::string name = line.at("param_name");
      t->params[name] = number_in(line.at("param_value_internal"));
      t->distributions[name] = line.at("distribution").get<std::string>();
    } else if (op == kSetState) {
      const auto state = TrialState(line.at("state").get<int>());
      if (const auto value = first_number(line.value("values", JournalLine()))) t->value = value;
      tensor::require(state != TrialState::complete || t->value, "a complete trial has no value");
      t->state = state;
    } else if (op == kReport) {
      t->intermediate[line.at("step")] = number_in(line.at("intermediate_value"));
    } else {
      add_attributes(line.at("system_attr"), t->attributes);
    }
  } else {
    tensor::require(op == kSetStudyUser || op == kSetTrialUser || op == kDiscard, "operation {} is unknown", op);
  }
}

Trial* JournalState::changeable(int64_t id) {
  const Trial* t = trial(id);
  return t && (t->state == TrialState::running || t->state == TrialState::waiting) ? const_cast<Trial*>(t) : nullptr;
}

const StudyRecord* JournalState::study(const std::string& name) const {
  for (const StudyRecord& s : studies_)
    if (!name.empty() && s.name == name) return &s;
  return nullptr;
}

const StudyRecord* JournalState::study(int64_t id) const {
  return id >= 0 && id < int64_t(studies_.size()) && !studies_[size_t(id)].name.empty() ? &studies_[size_t(id)]
                                                                                        : nullptr;
}

std::vector<std::string> JournalState::study_names() const {
  std::vector<std::string> names;
  for (const StudyRecord& s : studies_)
    if (!s.name.empty()) names.push_back(s.name);
  return names;
}

const StudyRecord* JournalState::study_of(int64_t trial_id) const {
  if (trial_id < 0 || trial_id >= int64_t(trials_.size())) return nullptr;
  return &studies_[size_t(trials_[size_t(trial_id)].first)];
}

const Trial* JournalState::trial(int64_t id) const {
  const StudyRecord* s = study_of(id);
  return s ? &s->trials[size_t(trials_[size_t(id)].second)] : nullptr;
}

JournalContent read_journal(const std::string& path) {
  return parse_journal(path, std::filesystem::exists(path) ? tensor::read_file(path) : "");
}

std::string journal_time() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}+00:00", fmt::gmtime(std::time_t(microseconds / 1000000)),
                     microseconds % 1000000);
}

std::string journal_text(const JournalLine& line) {
  std::string text = line.dump(-1, ' ', true);
  const auto value = line.find("intermediate_value");
  if (value == line.end() || (value->is_number() && std::isfinite(value->get<double>()))) return text + "\n";
  // JSON has none of these: made here they are null, read from a file they are texts.
  const std::string key = "\"intermediate_value\":", written = key + value->dump();
  return text.replace(text.find(written), written.size(),
                      key + (value->is_string() ? value->get<std::string>() : "NaN")) +
         "\n";
}

JournalSession::JournalSession(const std::string& path) : JournalSession() {
  path_ = path;
  lock_file();
  lock_name();
  const std::string text = tensor::read_file(path_);
  content_ = parse_journal(path_, text);
  // Whoever wrote a line without an end is dead: we have the lock.
  const size_t whole = text.rfind('\n') + 1;
  if (whole != text.size() && ftruncate(file_, off_t(whole)) != 0) refuse_journal(path_, "cannot be cut", errno);
}

JournalSession::~JournalSession() {
  if (named_) unlink(lock_of(path_).c_str());
  if (file_ >= 0) close(file_);
}

void JournalSession::lock_file() {
  while (true) {
    file_ = open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file_ < 0) refuse_journal(path_, "cannot be written", errno);
    while (flock(file_, LOCK_EX) != 0)
      if (errno != EINTR) refuse_journal(path_, "its file system cannot lock files (flock)", errno);
    struct stat mine, there;
    if (fstat(file_, &mine) == 0 && stat(path_.c_str(), &there) == 0 && mine.st_ino == there.st_ino &&
        mine.st_dev == there.st_dev)
      return;
    close(file_);  // it was replaced while we waited
  }
}

void JournalSession::lock_name() {
  using Clock = std::chrono::steady_clock;
  const std::string lock = lock_of(path_);
  auto pause = std::chrono::milliseconds(1);
  auto since = Clock::now();
  struct stat seen = {};
  while (symlink(mark_of(path_).c_str(), lock.c_str()) != 0) {
    if (errno != EEXIST) refuse_journal(lock, "cannot be made", errno);
    std::array<char, 4096> target{};
    const ssize_t n = readlink(lock.c_str(), target.data(), target.size());
    // We have the journal's flock: a lock of ours is that of a process that was killed.
    const bool ours = n >= 0 && std::string(target.data(), size_t(n)) == mark_of(path_);
    struct stat now = {};
    if (!ours && lstat(lock.c_str(), &now) != 0) continue;
    if (now.st_ino != seen.st_ino || now.st_ctim.tv_sec != seen.st_ctim.tv_sec ||
        now.st_ctim.tv_nsec != seen.st_ctim.tv_nsec)
      seen = now, since = Clock::now();
    if (ours || Clock::now() - since > std::chrono::seconds(30)) {
      remove_lock(path_);
      continue;
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, std::chrono::milliseconds(250));
  }
  named_ = true;
}

void JournalSession::append(std::vector<JournalLine> lines) {
  std::string text;
  for (JournalLine& line : lines) {
    JournalLine whole = {{"op_code", line.at("op_code")}, {"worker_id", worker_id()}};
    whole.update(line);
    line = std::move(whole);
    text += journal_text(line);
  }
  const off_t before = lseek(file_, 0, SEEK_END);
  int error = 0;
  for (size_t done = 0; done < text.size() && error == 0;) {
    const ssize_t n = write(file_, text.data() + done, text.size() - done);
    if (n >= 0)
      done += size_t(n);
    else if (errno != EINTR)
      error = errno;
  }
  if (error == 0 && fsync(file_) != 0) error = errno;
  if (error != 0) {
    if (ftruncate(file_, before) != 0) error = errno;
    refuse_journal(path_, "cannot be written", error);
  }
  for (const JournalLine& line : lines) {
    content_.state.apply(line);
    content_.lines.push_back(line);
  }
}

}  // namespace cris
