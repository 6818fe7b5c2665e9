/// Journals: Optuna's file read, lines appended, damage named, decisions replayed.
#include "cris/study/journal.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "cris/study/replay.h"
#include "cris/study/tune.h"
#include "tensor/machine/atomic_file.h"
#include "tests/cris/tiny_run.h"

using namespace cris;

namespace {

void add_text(const std::string& file, const std::string& text) { std::ofstream(file, std::ios::app) << text; }

const JournalLine kBegin = {{"op_code", kCreateStudy}, {"study_name", "s"}, {"directions", {2}}};

}  // namespace

TEST_CASE("a journal that Optuna wrote says what Optuna says") {
  const JournalContent journal = read_journal(CRIS_SOURCE_DIR "/tests/study/optuna.journal");
  CHECK(journal.state.study_names() == std::vector<std::string>{"kept", "other"});
  const StudyRecord& study = *journal.state.study("kept");
  const auto expected =
      nlohmann::json::parse(tensor::read_file(CRIS_SOURCE_DIR "/tests/study/optuna.journal.json")).at("trials");
  REQUIRE(study.trials.size() == expected.size());
  // As Python prints it.
  const auto same = [](const nlohmann::json& text, double value) {
    return text == "nan" ? std::isnan(value) : std::stod(text.get<std::string>()) == value;
  };
  for (const Trial& t : study.trials) {
    const auto& e = expected[size_t(t.number)];
    INFO("trial ", t.number);
    CHECK(t.id == e["id"]);
    CHECK(int(t.state) == e["state"]);
    CHECK(t.value.has_value() != e["value"].is_null());
    if (t.value) CHECK(same(e["value"], *t.value));
    CHECK(t.params == e["params"].get<std::map<std::string, double>>());
    REQUIRE(t.intermediate.size() == e["intermediate"].size());
    for (const auto& [step, value] : t.intermediate) CHECK(same(e["intermediate"][std::to_string(step)], value));
  }
  CHECK(replay_journal(journal).others == int64_t(study.trials.size()) + 1);
}

TEST_CASE("appending: NaN as Python writes it, a half line cut, locks of the dead removed, damage named") {
  const Scratch folder;
  const std::string path = folder / "s.journal";
  CHECK(read_journal(path).lines.empty());
  {
    JournalSession session(path);
    session.append({kBegin, {{"op_code", kCreateTrial}, {"study_id", 0}, {"datetime_start", journal_time()}}});
    session.append({{{"op_code", kReport}, {"trial_id", 0}, {"step", 4}, {"intermediate_value", NAN}}});
    CHECK(std::isnan(session.state().trial(0)->intermediate.at(4)));
    CHECK(std::filesystem::is_symlink(path + ".lock"));
  }
  CHECK(!std::filesystem::exists(std::filesystem::symlink_status(path + ".lock")));
  CHECK(contains(tensor::read_file(path), "\"intermediate_value\":NaN}\n"));
  add_text(path, R"({"op_code":0,"worker)");
  CHECK(read_journal(path).lines.size() == 3);
  std::filesystem::create_symlink(".//s.journal", path + ".lock");  // as a killed cris leaves it
  { const JournalSession session(path); }
  CHECK(tensor::read_file(path).ends_with("NaN}\n"));

  const std::string before = tensor::read_file(path);
  for (const char* line :
       {"{\"op_code\":0,\"wo{\"op_code\":6}", "{\"op_code\":77}", "[1]", "{\"op_code\":6,\"trial_id\":0,\"state\":9}",
        "{\"op_code\":6,\"trial_id\":0,\"state\":1,\"values\":null}", "{\"op_code\":6.0,\"trial_id\":0,\"state\":2}",
        "{\"op_code\":6,\"trial_id\":1e99,\"state\":2}", "{\"op_code\":4294967302,\"trial_id\":0,\"state\":2}",
        "{\"op_code\":0,\"study_name\":\"t\",\"directions\":[1e99]}", "{\"op_code\":4,\"study_id\":0,\"state\":9}"}) {
    tensor::write_file_atomically(path, before + line + "\n");
    CHECK(contains(message_of([&] { read_journal(path); }), "s.journal:4: this line is not part of a journal"));
    CHECK(contains(message_of([&] { JournalSession session(path); }), "remove the line"));
  }
  for (const std::string_view tail : {"notes without an end", "\x89PNG"}) {  // somebody's file is not cut
    tensor::write_file_atomically(path, before + std::string(tail));
    CHECK(contains(message_of([&] { JournalSession session(path); }), "not part of a journal"));
    CHECK(tensor::read_file(path) == before + std::string(tail));
  }
  tensor::write_file_atomically(path, before + std::string(5, '\0'));  // what a power cut may leave
  { const JournalSession session(path); }
  CHECK(tensor::read_file(path) == before);
  CHECK(contains(message_of([&] { JournalSession session(folder / "none/s.journal"); }), "cannot be written"));
}

TEST_CASE("a study of tiny trainings: resumed with the same journal, replayed, and refused with other settings") {
  TinyRun tiny(Strategy::cris);
  tiny.config.data.size = 16;
  Progress silent;
  const auto tuning = [&](const char* name) {
    Tuning t{.base = tiny.config,
             .journal = tiny.folder / "j",
             .study = name,
             .out = tiny.folder / name,
             .search = SearchSpace::parse({"train.learning_rate=1e-6..1e-2:log", "refiner.channels=2..4"})};
    resolve_config(t.base);
    t.trials = 7;
    t.pruner.startup_trials = 1;
    return t;
  };
  const auto work = [&](const Tuning& t, int stop_after) {
    int asked = 0;
    return work_on_tuning(
        t, [&] { return stop_after > 0 && ++asked > stop_after; }, silent);
  };
  // What a study is without times and workers.
  const auto story = [&](const char* name) {
    const JournalContent journal = read_journal(tiny.folder / "j");
    std::string text;
    for (const Trial& t : journal.state.study(name)->trials) {
      text += fmt::format("{} {} {}", t.number, int(t.state), t.value.value_or(-1));
      for (const auto& [key, value] : t.params) text += fmt::format(" {} {}", key, value);
      for (const auto& [step, value] : t.intermediate) text += fmt::format(" {}: {}", step, value);
      text += t.attributes.at(kSeenAttribute) + "\n";
    }
    return text;
  };
  const Tuning a = tuning("a"), b = tuning("b");
  while (work(a, 0) == Work::done) {
  }
  CHECK(work(a, 0) == Work::nothing_left);
  int stopped = 0, lost = 0;
  for (Work w = Work::done; w != Work::nothing_left;) {
    stopped += (w = work(b, 5)) == Work::stopped;
    // As if it had been killed between its checkpoint and its report.
    const std::string text = tensor::read_file(tiny.folder / "j");
    const size_t last = text.rfind('\n', text.size() - 2) + 1;
    if (w != Work::stopped || !contains(text.substr(last), "\"op_code\":7")) continue;
    tensor::write_file_atomically(tiny.folder / "j", text.substr(0, last));
    ++lost;
  }
  CHECK(lost > 0);
  CHECK(stopped > 3);
  CHECK(story("a") == story("b"));
  const TuningState s = state_of(a);
  CHECK(s.complete + s.pruned == 7);
  CHECK(s.pruned > 0);
  CHECK(s.best.has_value());
  CHECK(!std::filesystem::exists(a.out + "/trial-0000/checkpoints"));

  const std::string text = tensor::read_file(tiny.folder / "j");
  const auto replay = [&](const std::string& journal) {
    tensor::write_file_atomically(tiny.folder / "edited", journal);
    return replay_journal(read_journal(tiny.folder / "edited"));
  };
  const JournalReplay right = replay(text);
  CHECK(right.differences.empty());
  CHECK(right.suggestions == 14);
  CHECK(right.values == 2 * s.complete);
  CHECK(contains(replay(replaced(text, "\"params\":{\"train.learning_rate\":", "\"params\":{\"train.learning_rate\":1"))
                     .differences.at(0),
                 "the suggestion is"));
  CHECK(contains(replay(replaced(text, "\"state\":1,\"values\":[0.", "\"state\":1,\"values\":[0.9")).differences.at(0),
                 "the largest reported is"));
  CHECK(
      contains(replay(replaced(text, "\"state\":2,\"values\":null", "\"state\":1,\"values\":[0.1]")).differences.at(0),
               "it is pruned"));
  CHECK(contains(replay(replaced(text, "\"cris:seen\":[0]", "\"cris:seen\":[]")).differences.at(0), "had ended"));

  // As if it had been killed between a report and the pruning that follows from it.
  const size_t cut = text.rfind('\n', text.find("\"state\":2")) + 1;
  tensor::write_file_atomically(tiny.folder / "j", text.substr(0, cut));
  CHECK(work(a, 0) == Work::done);
  const std::string resumed = tensor::read_file(tiny.folder / "j");
  CHECK(resumed.starts_with(text.substr(0, cut)));
  CHECK(count_of("\n", resumed.substr(cut)) == 1);
  CHECK(contains(resumed.substr(cut), "\"state\":2"));

  Tuning other = tuning("a");
  other.base.train.epochs = 3;
  CHECK(contains(message_of<ConfigError>([&] { work(other, 0); }), "epochs = 2"));
  other = tuning("a");
  other.seed = 1;
  CHECK(contains(message_of<ConfigError>([&] { work(other, 0); }), "begun with other settings"));
}
