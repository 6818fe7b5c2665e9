#include "cris/report/score_page.h"

#include <fmt/format.h>

#include <filesystem>

#include "cris/report/comparison.h"
#include "cris/report/html_page.h"
#include "cris/run/outputs.h"
#include "data/files.h"
#include "tensor/machine/atomic_file.h"

namespace cris {

namespace {

using Json = nlohmann::ordered_json;

/// "0.8123", and pixels with one digit.
std::string cell(const Json& values, const std::string& key) {
  if (!values.contains(key)) return "";
  return key == "hd95" || key == "assd" ? fmt::format("{:.1f}", values[key].get<double>())
                                        : fmt::format("{:.4f}", values[key].get<double>());
}

/// What the numbers would hide, a sentence each.
std::vector<std::string> remarks(const Json& json) {
  std::vector<std::string> said;
  const auto count = [&](const char* key) { return json[key].get<int64_t>(); };
  if (const int64_t n = count("images_without_polyp"))
    said.push_back(fmt::format("{} of {} masks hold no polyp: an empty prediction scores 1 there, any other 0.", n,
                               count("images")));
  if (const int64_t n = count("images_without_prediction"))
    said.push_back(fmt::format(
        "{} of {} predictions are empty: where there is a polyp, HD95 and ASSD count the picture's diagonal.", n,
        count("images")));
  if (count("images") < kLeastImages)
    said.push_back(fmt::format("{} images are too few to rank methods by.", count("images")));
  return said;
}

/// "81.2 %", what counts in pixels or squared error as in the text.
std::string page_cell(const Json& values, const std::string& key) {
  if (!values.contains(key) || key == "hd95" || key == "assd" || key.starts_with("mse")) return cell(values, key);
  return fmt::format("{:.1f} %", 100 * values[key].get<double>());
}

Table table_of(const Json& json, std::string text(const Json&, const std::string&)) {
  Table table{.name = "measures", .title = "Measures", .columns = {"", "mean over images", "all pixels"}};
  for (const Measure& m : image_measures())
    table.rows.push_back({{m.title}, {text(json["mean"], m.key)}, {text(json["pooled"], m.key)}});
  table.rows.push_back({{"calibration error"}, {}, {text(json["pooled"], "expected_calibration_error")}});
  return table;
}

Table sizes_of(const Json& json) {
  Table table{.name = "sizes",
              .title = "By size of the polyp",
              .columns = {"share of the picture", "images", "Dice", "recall", "HD95 in pixels"}};
  for (const SizeClass& c : kSizeClasses) {
    const Json& part = json["by_size"][c.name];
    const Json mean = part.value("mean", Json::object());
    const std::string share = c.below > 1 ? fmt::format("from {:.0f}", 100 * c.least)
                                          : fmt::format("{:.0f} to {:.0f}", 100 * c.least, 100 * c.below);
    table.rows.push_back({{fmt::format("{}: {} %", c.name, share)},
                          {part["images"].dump()},
                          {page_cell(mean, "dice")},
                          {page_cell(mean, "recall")},
                          {page_cell(mean, "hd95")}});
  }
  return table;
}

std::string lesions_text(const Json& json) {
  const Json& l = json["lesions"];
  return fmt::format("{} of {} polyps found ({:.1f} %), {:.2f} false alarms an image", l["found"].get<int64_t>(),
                     l["count"].get<int64_t>(), 100 * l["sensitivity"].get<double>(),
                     l["false_positives_per_image"].get<double>());
}

}  // namespace

std::string measures_text(const MeasureSet& measures) {
  const Json json = measures.json();
  std::string text = fmt::format("{} images, threshold {:.2f}\n\n{:<24}{:>18}{:>14}\n", measures.images().size(),
                                 measures.threshold(), "", "mean over images", "all pixels");
  for (const auto& row : table_of(json, cell).rows)
    text += fmt::format("{:<24}{:>18}{:>14}\n", row[0].text, row[1].text, row[2].text);
  text += "\n" + lesions_text(json) + "\n";
  for (const auto& [name, part] : json["by_size"].items())
    if (const int64_t n = part["images"].get<int64_t>())
      text += fmt::format("{} polyps ({} images): Dice {}\n", name, n, cell(part["mean"], "dice"));
  for (const std::string& r : remarks(json)) text += "note: " + r + "\n";
  return text;
}

bool takes_scores(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code unknown;
  return !fs::exists(folder, unknown) || has_keys(folder + "/score.json", {"threshold", "images", "pooled"}) ||
         fs::is_empty(folder, unknown);
}

std::string precision_recall_csv(const MeasureSet& measures) {
  std::string csv = "threshold,precision,recall\n";
  for (const PrecisionRecallPoint& p : thinned(measures.curve()))
    csv += fmt::format("{},{},{}\n", p.threshold, p.precision, p.recall);
  return csv;
}

Chart precision_recall_chart(const std::string& title, const Points& points, const Json& measures) {
  const auto area = measures.find("average_precision");
  Chart chart = unit_chart(title, "recall, %", "precision, %");
  chart.series = {
      {.name = area == measures.end() ? "no polyp, no AP" : fmt::format("AP {:.1f} %", 100 * area->get<double>()),
       .points = points}};
  return chart;
}

Points pooled_points(const MeasureSet& measures) {
  Points points;
  for (const PrecisionRecallPoint& p : thinned(measures.curve())) points.emplace_back(p.recall, p.precision);
  return points;
}

void write_scores(const MeasureSet& measures, const std::string& folder, const std::string& title) {
  const Json json = measures.json();
  std::string html = page_begin("Scores");
  html += fmt::format("<p>{}: {} images, threshold {:.2f}.</p>\n", escape_markup(title), measures.images().size(),
                      measures.threshold());
  for (const std::string& r : remarks(json)) html += fmt::format("<p><b>Note.</b> {}</p>\n", r);
  html += fmt::format("<h2>Measures</h2>\n{}<p>{}.</p>\n<h2>By size of the polyp</h2>\n{}",
                      to_html(table_of(json, page_cell)), lesions_text(json), to_html(sizes_of(json)));
  Chart reliability = unit_chart("Reliability", "probability", "share of polyp");
  reliability.series = {{.name = "pixels, 15 bins"}, {.name = "perfect", .points = {{0, 0}, {1, 1}}, .dashed = true}};
  for (const Json& b : json["calibration"])
    if (b["pixels"].get<int64_t>() > 0)
      reliability.series[0].points.emplace_back(b["probability"].get<double>(), b["polyp"].get<double>());
  const Chart curve =
      precision_recall_chart("Precision and recall, all pixels", pooled_points(measures), json["pooled"]);
  html += "<h2>Curves</h2>\n<div class=\"charts\">\n" + to_svg(curve) + to_svg(reliability) + "</div>\n" + page_end();

  data::StagingFolder staging(folder);
  tensor::write_file_atomically(staging.path() + "/score.json", json.dump(2) + "\n");
  tensor::write_file_atomically(staging.path() + "/per_image.csv", measures.csv());
  tensor::write_file_atomically(staging.path() + "/precision_recall.csv", precision_recall_csv(measures));
  write_page(staging.path() + "/score.html", html);
  staging.publish();
}

}  // namespace cris
