/// Files of runs made smaller, and the journal put in order.
#include "cris/study/records.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <sstream>

#include "cris/run/csv.h"
#include "cris/study/complete_run.h"
#include "cris/study/journal.h"
#include "data/files.h"
#include "data/format_error.h"
#include "data/hash.h"
#include "nn/json_text.h"
#include "tensor/machine/atomic_file.h"

namespace fs = std::filesystem;

namespace cris {

namespace {

/// A number with 5 significant digits; anything else as it is.
std::string rounded(const std::string& cell) {
  const auto number = to_number(cell);
  return number ? fmt::format("{:.5g}", *number) : csv_field(cell);
}

/// The first `columns` columns, rounded but for the first, which names the row.
std::string small_csv(const std::string& path, size_t columns) {
  std::string small;
  for (const auto& row : read_csv(path, true)) {
    for (size_t i = 0; i < std::min(columns, row.size()); ++i)
      small += (i ? "," : "") + (i ? rounded(row[i]) : csv_field(row[i]));
    small += "\n";
  }
  return small;
}

/// Without the lines of pictures, and of what names the place of the data and who worked.
std::string small_sums(const std::string& path) {
  std::istringstream lines(read_run_file(path));
  std::string small;
  for (std::string line; std::getline(lines, line);) {
    const std::string name = line.substr(std::min<size_t>(line.size(), 66));
    if (std::ranges::none_of(
            std::array{"plots/", "overlays/", "maps/", "film/", "manifest.json", "config.resolved.toml"},
            [&](const char* left_out) { return name.starts_with(left_out); }))
      small += line + "\n";
  }
  return small;
}

/// Fractions in five significant digits.
void shorten(nlohmann::ordered_json& json) {
  if (json.is_number_float()) json = std::stod(fmt::format("{:.5g}", json.get<double>()));
  if (json.is_structured())
    for (auto& part : json) shorten(part);
}

/// On one line, without what unlearned methods reach on each image: that is the same for every run.
std::string small_evaluation(const std::string& path) {
  auto evaluation = nn::parse_json<nlohmann::ordered_json>(read_run_file(path));
  if (evaluation.contains("baselines"))
    for (auto& [name, baseline] : evaluation["baselines"].items())
      if (baseline.is_object()) baseline.erase("dice_of_images");
  shorten(evaluation);
  return evaluation.dump() + "\n";
}

/// Without the place where the data lay.
std::string small_manifest(const std::string& path) {
  auto manifest = nn::parse_json<nlohmann::ordered_json>(read_run_file(path));
  manifest.erase("data");
  return manifest.dump(2) + "\n";
}

/// As the run had it, but for the threads of whoever worked.
std::string small_config(const std::string& path) {
  Config config;
  read_config(config, path);
  config.run.threads = 0;
  return to_toml(config);
}

/// The plan's studies in its order, numbered from 0 as are their trials.
std::string ordered_journal(const Plan& plan, const std::string& path) {
  JournalState state;
  std::map<int64_t, std::vector<JournalLine>> lines_of;  // by the study's id; without lines that change nothing
  for (const JournalLine& line : read_journal(path).lines) {
    const StudyRecord* of = nullptr;
    const bool begins = line.at("op_code") == kCreateStudy && !state.study(line.at("study_name").get<std::string>());
    state.apply(line);
    if (begins) of = state.study(line.at("study_name").get<std::string>());
    if (line.contains("study_id")) of = state.study(line.at("study_id").get<int64_t>());
    if (line.contains("trial_id")) of = state.study_of(line.at("trial_id").get<int64_t>());
    if (of) lines_of[of->id].push_back(line);
  }
  std::string text;
  int64_t studies = 0, trials = 0;
  for (const Cell& cell : plan.cells) {
    const StudyRecord* const study = state.study(cell.name);
    if (!study) continue;
    for (JournalLine& line : lines_of[study->id]) {
      line["worker_id"] = "cris";
      if (line.contains("study_id")) line["study_id"] = studies;
      if (line.contains("trial_id")) line["trial_id"] = trials + state.trial(line["trial_id"])->number;
      text += journal_text(line);
    }
    ++studies, trials += int64_t(study->trials.size());
  }
  return text;
}

constexpr const char* kSums = "SHA256SUMS";

/// The files that SHA256SUMS of these records lists, each below them, with their hashes.
std::map<std::string, std::string> listed(const std::string& records) {
  std::map<std::string, std::string> files;
  std::istringstream lines(data::read_data_file(records + "/" + kSums));
  for (std::string line; std::getline(lines, line);) {
    const std::string name = line.substr(std::min<size_t>(line.size(), 66));
    data::require_data(!name.empty() && fs::path(name).lexically_normal() == name && name[0] != '/' && name[0] != '.',
                       "{}/{}: a line is damaged; restore it, or remove {} and collect the records again", records,
                       kSums, records);
    files[name] = line.substr(0, 64);
  }
  return files;
}

/// The files that records of the study `folder` replace in `out`. Throws FormatError unless `out` is empty or holds
/// records, and is neither the study nor a folder that it works in.
std::map<std::string, std::string> records_to_replace(const std::string& folder, const std::string& out) {
  const fs::path study = fs::weakly_canonical(fs::absolute(folder)), to = fs::weakly_canonical(fs::absolute(out));
  const std::string around = *study.lexically_relative(to).begin(), within = *to.lexically_relative(study).begin();
  data::require_data(around == ".." && within != "runs" && within != "trials" && !within.starts_with("data-"),
                     "{} holds what the study {} works on; choose another -o", out, folder);
  const auto hidden = [](const fs::path& path) { return path.filename().string().starts_with("."); };
  if (!fs::exists(out)) return {};
  if (fs::is_directory(out) &&  // a killed process may have left its lock
      std::ranges::all_of(fs::directory_iterator(out), [&](const auto& entry) { return hidden(entry.path()); }))
    return {};
  std::map<std::string, std::string> old;
  if (fs::exists(out + "/" + kSums)) old = listed(out);
  data::require_data(old.contains("plan.toml") && old.contains(kJournal),
                     "{} holds files that are not records of a study; choose another -o", out);
  return old;
}

/// Whether `out` holds these records already, untouched.
bool same_records(const std::string& out, const std::string& sums) {
  try {
    require_records(out);
    return tensor::read_file(out + "/" + kSums) == sums;
  } catch (const tensor::Error&) {
    return false;
  }
}

}  // namespace

RecordsMade collect_records(const Plan& plan, const std::string& folder, const std::string& out) {
  records_to_replace(folder, out);  // refused before anything is made there
  data::StagingFolder staging(out);
  const auto old = records_to_replace(folder, out);
  std::string sums;
  RecordsMade made;
  const auto write = [&](const std::string& name, const std::string& text) {
    tensor::write_file_atomically(staging.path() + "/" + name, text);
    sums += fmt::format("{}  {}\n", data::sha256(text), name);
    made.bytes += int64_t(text.size());
  };
  write("plan.toml", plan.text);
  write("study.journal", ordered_journal(plan, folder + "/" + kJournal));
  for (const Cell& cell : plan.cells)
    for (const int64_t seed : plan.seeds) {
      const std::string name = run_folder(cell, seed), run = folder + "/" + name;
      if (!is_complete_run(run)) {
        ++made.missing;
        continue;
      }
      ++made.runs;
      data::create_folder(staging.path() + "/" + name);
      write(name + "/config.resolved.toml", small_config(run + "/config.resolved.toml"));
      write(name + "/manifest.json", small_manifest(run + "/manifest.json"));
      write(name + "/evaluation.json", small_evaluation(run + "/evaluation.json"));
      write(name + "/epochs.csv", small_csv(run + "/epochs.csv", SIZE_MAX));
      write(name + "/per_image.csv", small_csv(run + "/per_image.csv", 5));
      write(name + "/curves.csv", small_csv(run + "/curves.csv", SIZE_MAX));
      write(name + "/SHA256SUMS", small_sums(run + "/SHA256SUMS"));
    }
  tensor::write_file_atomically(staging.path() + "/" + kSums, sums);
  made.bytes += int64_t(sums.size());
  if (same_records(out, sums)) return made;
  staging.publish([&](const std::string& name) { return old.contains(name); });
  return made;
}

void require_records(const std::string& records) {
  data::require_data(fs::exists(records + "/" + kSums),
                     "{}: this is not a folder of records; `cris study records` makes one of a study", records);
  const auto files = listed(records);
  for (const auto& [name, hash] : files)
    data::require_data(data::sha256(data::read_data_file(records + "/" + name)) == hash,
                       "{}/{}: was changed after it was recorded; restore it or collect the records again", records,
                       name);
  for (const char* name : {"plan.toml", kJournal})
    data::require_data(files.contains(name),
                       "{}/{} does not list {}; restore it, or remove {} and collect the records again", records, kSums,
                       name, records);
  if (!fs::exists(records + "/runs")) return;
  for (const auto& entry : fs::recursive_directory_iterator(records + "/runs")) {
    const std::string name = fs::path(entry.path()).lexically_relative(records);
    const bool hidden = entry.path().filename().string().starts_with(".");
    data::require_data(entry.is_directory() || hidden || files.contains(name),
                       "{}/{} does not list {}; restore it, or remove that file", records, kSums, name);
  }
}

}  // namespace cris
