/// Every file is checked for what pages and tables take from it, so that a damaged run is refused by name.
#include "cris/report/finished_run.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "cris/run/run_directory.h"
#include "data/files.h"
#include "data/format_error.h"
#include "nn/json_text.h"

namespace cris {

namespace {

using Json = nlohmann::ordered_json;

bool all_numbers(const Json& values) {
  return (values.is_object() || values.is_array()) && !values.empty() &&
         std::all_of(values.begin(), values.end(), [](const Json& v) { return v.is_number(); });
}

Json part(const Json& whole, const char* name) { return whole.value(name, Json()); }

/// Whether evaluation.json holds what pages and tables take from it.
bool complete_evaluation(const Json& evaluation) {
  for (const char* name : {"chosen_on_training_set", "at_half"})
    if (!all_numbers(part(evaluation, name))) return false;
  for (const char* name : {"pranet_mean_dice", "parameters"})
    if (!part(evaluation, name).is_number()) return false;
  if (evaluation.contains("crf")) {
    if (!evaluation["crf"].is_object() || !part(evaluation["crf"], "iterations").is_number()) return false;
    for (const char* name : {"spatial_weight", "bilateral_weight", "compatibility"}) {
      const Json rows = part(evaluation["crf"], name);
      if (!rows.is_array() || !std::all_of(rows.begin(), rows.end(), all_numbers)) return false;
    }
  }
  return true;
}

/// The same of manifest.json.
bool complete_manifest(const Json& manifest) {
  for (const char* name : {"split_sha256", "split_protocol"})
    if (!part(manifest, name).is_string()) return false;
  return all_numbers(part(manifest, "images"));
}

Json read_json(const std::string& path) {
  const std::string text = read_run_file(path);
  try {
    Json json = nn::parse_json<Json>(text);
    if (json.is_object()) return json;
  } catch (const tensor::Error&) {
  }
  refuse_run_file(path, "is damaged");
}

/// The day of the last stamped line of log.txt that speaks of an epoch: "best epoch 4, ..." ends a training.
std::string last_day(const std::string& path) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return "";
  std::istringstream log(read_run_file(path));
  std::string day;
  for (std::string line; std::getline(log, line);)
    if (line.size() > 20 && line[10] == 'T' && line[19] == 'Z' && line.find(" epoch ", 19) != std::string::npos)
      day = line.substr(0, 10);
  return day;
}

}  // namespace

RunFiles read_run(const std::string& path) {
  RunFiles r;
  r.path = path;
  r.config = config_of_run(path);
  const auto has = [&](const char* name) { return std::filesystem::exists(path + "/" + name); };
  data::require_data(has("SHA256SUMS"), "{}: the run is not finished (it has no SHA256SUMS); run its cris train again",
                     path);
  r.evaluation = read_json(path + "/evaluation.json");
  if (!complete_evaluation(r.evaluation))
    refuse_run_file(path + "/evaluation.json", "is damaged or of another version");
  r.manifest = read_json(path + "/manifest.json");
  if (!complete_manifest(r.manifest)) refuse_run_file(path + "/manifest.json", "is damaged or of another version");
  r.epochs = read_epochs(path + "/epochs.csv");
  r.curves = read_csv(path + "/curves.csv");
  if (r.curves.empty()) refuse_run_file(path + "/curves.csv", "has no thresholds");
  if (has("precision_recall.csv")) {
    r.precision_recall = read_csv(path + "/precision_recall.csv");
    r.precision_recall_images = read_csv(path + "/precision_recall_images.csv");
  } else {  // a run of an older version has 101 thresholds, from the lowest on
    for (auto at = r.curves.rbegin(); at != r.curves.rend(); ++at) {
      if (at->size() < 6) refuse_run_file(path + "/curves.csv", "has too few columns");
      r.precision_recall.push_back({(*at)[0], (*at)[1], (*at)[2]});
      r.precision_recall_images.push_back({(*at)[5], (*at)[4]});
    }
  }
  r.images = read_csv(path + "/per_image.csv");
  for (std::vector<std::string>& row : r.images)
    if (row[0].starts_with('\'')) row[0].erase(0, 1);
  if (const auto images = r.manifest["images"].value("test", int64_t(0)); int64_t(r.images.size()) != images)
    refuse_run_file(path + "/per_image.csv", fmt::format("has {} images, and the run {}", r.images.size(), images));
  r.timing = read_timing(path);
  r.finished = last_day(path + "/log.txt");
  return r;
}

Points points_of(const Rows& rows, size_t x, size_t y, const std::string& path) {
  Points points;
  for (size_t i = 0; i < rows.size(); ++i) points.emplace_back(number(rows, i, x, path), number(rows, i, y, path));
  return points;
}

Points precision_recall_of(const RunFiles& r, bool pooled) {
  return pooled ? points_of(r.precision_recall, 2, 1, r.path + "/precision_recall.csv")
                : points_of(r.precision_recall_images, 0, 1, r.path + "/precision_recall_images.csv");
}

std::vector<Series> refiner_response(const RunFiles& r) {
  const std::string path = r.path + "/metrics.jsonl";
  std::vector<Series> lines;
  std::istringstream text(read_run_file(path));
  size_t number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    if (line.find("\"refiner_response\"") == std::string::npos) continue;
    try {
      const Json values = nn::parse_json<Json>(line);
      const auto f = values.at("refiner_response").get<std::vector<double>>();
      if (lines.empty())
        for (size_t i = 0; i < f.size(); ++i)
          lines.push_back({.name = fmt::format("{:.3g}", double(i) / double(f.size() - 1))});
      for (size_t i = 0; i < lines.size(); ++i) lines[i].points.emplace_back(values.at("epoch").get<double>(), f.at(i));
    } catch (const std::exception&) {
      refuse_run_file(path, fmt::format("line {} is damaged", number));
    }
  }
  return lines;
}

std::vector<Series> training_losses(const Rows& epochs, const std::string& file) {
  std::vector<Series> lines;
  const auto add = [&](const std::string& loss, size_t row, size_t column) {
    auto line = std::find_if(lines.begin(), lines.end(), [&](const Series& s) { return s.name == loss; });
    if (line == lines.end()) line = lines.insert(lines.end(), {.name = loss});
    line->points.emplace_back(number(epochs, row, 0, file), number(epochs, row, column, file));
  };
  for (size_t i = 0; i < epochs.size(); ++i) {
    if (epochs[i].size() > 13) {  // both of cris's losses
      add(name(Loss::mask_mse), i, 12);
      add(name(Loss::output_bce), i, 13);
    } else {
      if (epochs[i].size() < 3) refuse_run_file(file, fmt::format("line {} is damaged", i + 2));
      add(epochs[i][1], i, 2);
    }
  }
  return lines;
}

std::vector<std::string> setting_differences(const RunFiles& a, const RunFiles& b,
                                             const std::vector<std::string>& but) {
  std::vector<std::string> found = differences(a.config, b.config);
  std::erase_if(found, [&](const std::string& d) {
    return std::ranges::any_of(but, [&](const std::string& key) { return d.starts_with(key); });
  });
  return found;
}

std::vector<double> dice_of_images(const RunFiles& r) {
  std::vector<double> dice;
  for (size_t i = 0; i < r.images.size(); ++i) dice.push_back(number(r.images, i, 1, r.path + "/per_image.csv"));
  return dice;
}

ImagesOfSeeds dice_of_images(const std::vector<RunFiles>& runs) {
  ImagesOfSeeds values;
  for (const RunFiles& r : runs) values.push_back(dice_of_images(r));
  return values;
}

std::vector<std::string> pictures_of(const RunFiles& r, const std::string& folder, const std::string& end) {
  std::vector<std::string> names;
  if (!std::filesystem::is_directory(r.path + "/" + folder)) return names;
  for (const std::string& file : data::list_files(r.path + "/" + folder))
    if (file.ends_with(end)) names.push_back(file);
  return names;
}

}  // namespace cris
