/// Runs read back.
#include "cris/run_files.h"

#include <algorithm>
#include <filesystem>

#include "cris/run.h"
#include "data/files.h"
#include "data/format_error.h"
#include "nn/json_text.h"
#include "tensor/atomic_file.h"

namespace cris {

/// Quotes as RFC 4180 has them.
Rows read_csv(const std::string& path) {
  Rows rows;
  std::vector<std::string> row(1);
  bool quoted = false;
  const std::string text = tensor::read_file(path);
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"')
      row.back() += text[i++];
    else if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      row.emplace_back();
    else if (c == '\n' && !quoted)
      rows.push_back(std::exchange(row, {""}));
    else
      row.back() += c;
  }
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

double number(const Rows& rows, size_t row, size_t column, const std::string& file) {
  try {
    return std::stod(rows.at(row).at(column));
  } catch (const std::exception&) {
    throw data::FormatError(fmt::format("{}: line {} is damaged; run the training command again", file, row + 2));
  }
}

namespace {

using Json = nlohmann::ordered_json;

bool all_numbers(const Json& values) {
  return (values.is_object() || values.is_array()) && !values.empty() &&
         std::all_of(values.begin(), values.end(), [](const Json& v) { return v.is_number(); });
}

/// Whether evaluation.json and manifest.json hold what pages and tables take from them.
bool complete(const Json& evaluation, const Json& manifest) {
  const auto part = [](const Json& whole, const char* name) { return whole.value(name, Json()); };
  for (const char* name : {"chosen_on_training_set", "at_half"})
    if (!all_numbers(part(evaluation, name))) return false;
  for (const char* name : {"pranet_mean_dice", "parameters"})
    if (!part(evaluation, name).is_number()) return false;
  if (evaluation.contains("crf"))
    for (const char* name : {"spatial_weight", "bilateral_weight", "compatibility"}) {
      const Json rows = evaluation["crf"].is_object() ? part(evaluation["crf"], name) : Json();
      if (!rows.is_array() || !std::all_of(rows.begin(), rows.end(), all_numbers)) return false;
    }
  for (const char* name : {"split_sha256", "split_protocol"})
    if (!part(manifest, name).is_string()) return false;
  return all_numbers(part(manifest, "images"));
}

Json read_json(const std::string& path) {
  try {
    Json json = nn::parse_json<Json>(tensor::read_file(path));
    if (json.is_object()) return json;
  } catch (const tensor::Error&) {
  }
  throw data::FormatError(fmt::format("{}: is damaged; run the training command again", path));
}

}  // namespace

RunFiles read_run(const std::string& path) {
  RunFiles r;
  r.path = path;
  r.config = config_of_run(path);
  data::require(std::filesystem::exists(path + "/evaluation.json"),
                "{}: the run is not finished (it has no evaluation.json); run its cris train again", path);
  r.evaluation = read_json(path + "/evaluation.json");
  r.manifest = read_json(path + "/manifest.json");
  data::require(complete(r.evaluation, r.manifest),
                "{}: evaluation.json or manifest.json is damaged or of another version; run its cris train again",
                path);
  r.epochs = read_csv(path + "/epochs.csv");
  r.curves = read_csv(path + "/curves.csv");
  r.images = read_csv(path + "/per_image.csv");
  return r;
}

void label_runs(std::vector<RunFiles>& runs) {
  const auto differ = [&](auto&& value) {
    return std::any_of(runs.begin(), runs.end(), [&](const RunFiles& r) { return value(r) != value(runs[0]); });
  };
  const bool backbones = differ([](const RunFiles& r) { return r.config.model.backbone; });
  const bool seeds = differ([](const RunFiles& r) { return r.config.train.seed; });
  const bool data = differ([](const RunFiles& r) { return r.config.data.dir; });
  for (RunFiles& r : runs) {
    r.label = backbones || runs.size() == 1 ? r.config.model.backbone + " " + r.config.train.strategy
                                            : r.config.train.strategy;
    if (data) r.label = data_name(r.config) + " " + r.label;
    if (seeds) r.label += fmt::format(" seed {}", r.config.train.seed);
  }
}

Series series_of(const RunFiles& r, const std::string& file, const Rows& rows, size_t x, size_t y) {
  Series s{.name = r.label, .points = {}};
  for (size_t i = 0; i < rows.size(); ++i)
    s.points.emplace_back(number(rows, i, x, r.path + "/" + file), number(rows, i, y, r.path + "/" + file));
  return s;
}

std::vector<double> dice_of_images(const RunFiles& r) {
  std::vector<double> dice;
  for (size_t i = 0; i < r.images.size(); ++i) dice.push_back(number(r.images, i, 1, r.path + "/per_image.csv"));
  return dice;
}

std::vector<std::string> pictures_of(const RunFiles& r, const std::string& folder, const std::string& end) {
  std::vector<std::string> names;
  if (!std::filesystem::is_directory(r.path + "/" + folder)) return names;
  for (const std::string& file : data::list_files(r.path + "/" + folder))
    if (file.ends_with(end)) names.push_back(file);
  return names;
}

}  // namespace cris
