/// The report: what each run left behind, read back from its files.
#include "cris/report.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cris/chart.h"
#include "cris/metrics.h"
#include "cris/run.h"
#include "data/files.h"
#include "data/format_error.h"
#include "tensor/atomic_file.h"

namespace cris {

namespace {

const char* const kStyle = R"(
:root{--ink:#1d2330;--soft:#5d6675;--line:#e3e6eb;--paper:#f6f7f9;--card:#fff;--accent:#0072b2}
*{box-sizing:border-box}body{margin:0;font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);background:var(--paper)}
main{max-width:1180px;margin:0 auto;padding:40px 24px 80px}h1{font-size:30px;margin:0 0 4px}h2{font-size:21px;margin:48px 0 12px}h3{font-size:16px;margin:28px 0 8px}
p{margin:6px 0 14px;color:var(--soft);max-width:80ch}.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:6px 16px;overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{padding:8px 10px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}tr:last-child td{border-bottom:0}th{font-size:13px;color:var(--soft);font-weight:600}td.best{font-weight:700;color:var(--accent)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:16px}.charts svg{width:100%;height:auto;border:1px solid var(--line);border-radius:10px}
.shots{display:grid;grid-template-columns:repeat(auto-fill,minmax(520px,1fr));gap:16px}figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px}
figure img{width:100%;display:block;border-radius:4px}figcaption{font-size:13px;color:var(--soft);padding-top:6px;overflow-wrap:anywhere}
details{margin-top:12px}summary{cursor:pointer;color:var(--accent)}pre{font-size:12.5px;line-height:1.45;overflow:auto;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px}
.key{display:inline-block;width:12px;height:12px;border-radius:3px;margin:0 4px 0 10px;vertical-align:-1px}
@media(max-width:600px){.charts,.shots{grid-template-columns:1fr}}
)";

std::string base64(const std::string& bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    for (size_t j = 0; j < 3; ++j) word = word << 8 | (i + j < bytes.size() ? uint8_t(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j) text += i + j > bytes.size() ? '=' : digits[word >> (18 - 6 * j) & 63];
  }
  return text;
}

using Rows = std::vector<std::vector<std::string>>;

/// The cells of a CSV file, without its header; quotes as RFC 4180 has them.
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
    throw data::FormatError(fmt::format("{}: line {} is damaged; run cris eval again", file, row + 2));
  }
}

struct RunFiles {
  std::string path, label;
  Config config;
  nlohmann::ordered_json evaluation, manifest;
  Rows epochs, curves, images;
};

nlohmann::ordered_json read_json(const std::string& path) {
  auto json = nlohmann::ordered_json::parse(tensor::read_file(path), nullptr, false);
  if (!json.is_object()) throw data::FormatError(fmt::format("{}: is damaged; run the training command again", path));
  return json;
}

RunFiles read_run(const std::string& path) {
  RunFiles r;
  r.path = path;
  r.config = config_of_run(path);
  data::require(std::filesystem::exists(path + "/evaluation.json"),
                "{}: the run is not finished (it has no evaluation.json); run its cris train again", path);
  r.evaluation = read_json(path + "/evaluation.json");
  r.manifest = read_json(path + "/manifest.json");
  r.epochs = read_csv(path + "/epochs.csv");
  r.curves = read_csv(path + "/curves.csv");
  r.images = read_csv(path + "/per_image.csv");
  return r;
}

/// Each run by what sets it apart: strategy, and backbone and seed where those differ.
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
    if (data) r.label = std::filesystem::path(r.config.data.dir).lexically_normal().filename().string() + " " + r.label;
    if (seeds) r.label += fmt::format(" seed {}", r.config.train.seed);
  }
}

Series series_of(const RunFiles& r, const std::string& file, const Rows& rows, size_t x, size_t y) {
  Series s{.name = r.label, .points = {}};
  for (size_t i = 0; i < rows.size(); ++i)
    s.points.emplace_back(number(rows, i, x, r.path + "/" + file), number(rows, i, y, r.path + "/" + file));
  return s;
}

std::string comparison_table(const std::vector<RunFiles>& runs) {
  struct Column {
    const char *title, *key;
    bool high_is_good;
  };
  const Column columns[] = {{"Dice", "dice", true},
                            {"Dice, pooled", "dice_pooled", true},
                            {"MSE", "mse", false},
                            {"MSE of masks", "mse_thresholded", false},
                            {"precision", "precision", true},
                            {"recall", "recall", true}};
  std::string html = "<div class=\"card\"><table><tr><th>run</th><th>parameters</th><th>threshold</th>";
  for (const Column& c : columns) html += fmt::format("<th>{}</th>", c.title);
  html += "<th>at 0.5</th><th>PraNet</th></tr>\n";
  for (const RunFiles& r : runs) {
    const auto& chosen = r.evaluation.at("chosen_on_training_set");
    html += fmt::format("<tr><td>{}</td><td>{}</td><td>{:.2f}</td>", escape_markup(r.label),
                        r.evaluation.value("parameters", int64_t(0)), chosen.value("threshold", 0.5));
    for (const Column& c : columns) {
      const double v = chosen.value(c.key, 0.0);
      const bool best = runs.size() > 1 && std::all_of(runs.begin(), runs.end(), [&](const RunFiles& o) {
                          const double w = o.evaluation.at("chosen_on_training_set").value(c.key, 0.0);
                          return c.high_is_good ? v >= w : v <= w;
                        });
      html += fmt::format("<td{}>{:.4f}</td>", best ? " class=\"best\"" : "", v);
    }
    html += fmt::format("<td>{:.4f}</td><td>{:.4f}</td></tr>\n", r.evaluation.at("at_half").value("dice", 0.0),
                        r.evaluation.value("pranet_mean_dice", 0.0));
  }
  return html + "</table></div>\n";
}

/// Dice over images: mean, deviation, and the bootstrap interval of the mean, which says whether an ordering is within
/// noise.
std::string spread_table(const std::vector<RunFiles>& runs) {
  std::string html =
      "<div class=\"card\"><table><tr><th>run</th><th>mean Dice</th><th>95 % interval of the mean</th><th>deviation "
      "between images</th><th>median</th></tr>\n";
  for (const RunFiles& r : runs) {
    std::vector<double> dice;
    for (size_t i = 0; i < r.images.size(); ++i) dice.push_back(number(r.images, i, 1, r.path + "/per_image.csv"));
    const Spread s = spread(dice);
    std::sort(dice.begin(), dice.end());
    html += fmt::format("<tr><td>{}</td><td>{:.4f}</td><td>{:.4f} – {:.4f}</td><td>{:.4f}</td><td>{:.4f}</td></tr>\n",
                        escape_markup(r.label), s.mean, s.low, s.high, s.deviation,
                        dice.empty() ? 0.0 : dice[dice.size() / 2]);
  }
  return html + "</table></div>\n";
}

std::string worst_images(const RunFiles& r) {
  const std::string folder = r.path + "/overlays";
  std::string html = "<div class=\"shots\">\n";
  for (const std::string& file : data::list_files(folder)) {
    if (!file.ends_with(".png")) continue;
    const std::string name = data::base_name(file).substr(3);
    std::string caption = escape_markup(name);
    for (const auto& row : r.images)
      if (row.size() > 3 && row[0] == name)
        caption += fmt::format(" · Dice {:.3f} · precision {:.3f} · recall {:.3f}", std::stod(row[1]),
                               std::stod(row[2]), std::stod(row[3]));
    html += fmt::format(
        "<figure><img alt=\"image, mask, probability and overlay of {}\" "
        "src=\"data:image/png;base64,{}\"><figcaption>{}</figcaption></figure>\n",
        escape_markup(name), base64(tensor::read_file(folder + "/" + file)), caption);
  }
  return html + "</div>\n";
}

}  // namespace

std::string html_report(const std::vector<std::string>& paths, const std::string& title) {
  std::vector<RunFiles> runs;
  for (const std::string& path : paths) runs.push_back(read_run(path));
  data::require(!runs.empty(), "report: no run given");
  label_runs(runs);
  const auto chart = [&](const char* name, const char* x, const char* y, const char* file, Rows RunFiles::*rows,
                         size_t column_x, size_t column_y, bool unit) {
    Chart c{.title = name, .x_label = x, .y_label = y, .series = {}, .x_range = {}, .y_range = {}};
    if (unit) c.x_range = c.y_range = {{0, 1}};
    for (const RunFiles& r : runs) c.series.push_back(series_of(r, file, r.*rows, column_x, column_y));
    return to_svg(c);
  };
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\">"
      "<title>{0}</title><style>{1}</style></head><body><main>\n<h1>{0}</h1>\n",
      escape_markup(title), kStyle);
  const RunFiles& first = runs[0];
  html += fmt::format(
      "<p>{} at {}×{}, {} training, {} validation and {} test images. The model kept is the epoch with the best "
      "validation Dice; its threshold maximises "
      "Dice on the training set.</p>\n",
      escape_markup(std::filesystem::path(first.config.data.dir).lexically_normal().filename().string()),
      first.config.data.size, first.config.data.size, first.manifest.at("images").value("training", 0),
      first.manifest.at("images").value("validation", 0), first.manifest.at("images").value("test", 0));
  html += "<h2>Results on the test set</h2>\n" + comparison_table(runs);
  html +=
      "<p>Dice, precision, recall and MSE are means over images; an empty mask met by an empty prediction counts 1. "
      "MSE is of probability maps, beside it of thresholded masks; \"at 0.5\" is Dice at threshold 0.5, \"PraNet\" the "
      "mean Dice over 256 thresholds of maps stretched to 0..1. "
      "Two runs whose intervals below overlap are within the noise of "
      "the test set; several seeds tell the noise of training.</p>\n" +
      spread_table(runs);
  html += "<h2>Training</h2>\n<div class=\"charts\">\n";
  html += chart("Validation Dice at 0.5", "epoch", "Dice", "epochs.csv", &RunFiles::epochs, 0, 3, false);
  html += chart("Training loss", "epoch", "loss", "epochs.csv", &RunFiles::epochs, 0, 2, false);
  html += chart("Validation MSE", "epoch", "MSE", "epochs.csv", &RunFiles::epochs, 0, 7, false);
  html +=
      "</div>\n<p>Strategy cris alternates two losses, so its training loss jumps between a mean squared error (odd "
      "epochs) and a cross entropy (even epochs).</p>\n";
  html += "<h2>Precision and recall</h2>\n<div class=\"charts\">\n";
  html += chart("Pooled pixels", "recall", "precision", "curves.csv", &RunFiles::curves, 2, 1, true);
  html += chart("Mean over images", "recall", "precision", "curves.csv", &RunFiles::curves, 5, 4, true);
  html += chart("Dice by threshold", "threshold", "mean Dice", "curves.csv", &RunFiles::curves, 0, 6, true);
  html +=
      "</div>\n<h2>The worst images</h2>\n<p>From left to right: image, mask, probability map, overlay."
      "<span class=\"key\" style=\"background:#00be6e\"></span>both<span class=\"key\" "
      "style=\"background:#ff8c00\"></span>prediction only"
      "<span class=\"key\" style=\"background:#1e6eff\"></span>mask only</p>\n";
  for (const RunFiles& r : runs)
    html += fmt::format("<details{}><summary>{}</summary>\n{}</details>\n", &r == &runs[0] ? " open" : "",
                        escape_markup(r.label), worst_images(r));
  html += "<h2>How it was made</h2>\n";
  for (const RunFiles& r : runs)
    html +=
        fmt::format("<details><summary>{}: manifest and configuration</summary><pre>{}</pre><pre>{}</pre></details>\n",
                    escape_markup(r.label), escape_markup(r.manifest.dump(2)), escape_markup(to_toml(r.config)));
  return html + "</main></body></html>\n";
}

}  // namespace cris
