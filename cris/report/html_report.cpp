/// The report: what each run left behind, read back from its files.
#include "cris/report/html_report.h"

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "cris/metrics.h"
#include "cris/report/finished_run.h"
#include "cris/report/html_page.h"
#include "cris/report/svg_chart.h"
#include "cris/run/experiment.h"
#include "data/files.h"
#include "data/format_error.h"

namespace cris {

namespace {

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
  html += "<th>at 0.5</th><th>stretched</th></tr>\n";
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
    const std::vector<double> dice = dice_of_images(r);
    const Spread s = spread(dice);
    html += fmt::format("<tr><td>{}</td><td>{:.4f}</td><td>{:.4f} – {:.4f}</td><td>{:.4f}</td><td>{:.4f}</td></tr>\n",
                        escape_markup(r.label), s.mean, s.low, s.high, s.deviation, median(dice));
  }
  return html + "</table></div>\n";
}

std::string worst_images(const RunFiles& r) {
  const std::string folder = r.path + "/overlays";
  std::string html = "<div class=\"shots\">\n";
  for (const std::string& file : pictures_of(r, "overlays")) {
    const std::string name = data::base_name(file).substr(file.find('_') + 1);
    std::string caption = escape_markup(name);
    for (size_t i = 0; i < r.images.size(); ++i) {
      if (r.images[i][0] != name) continue;
      const auto cell = [&](size_t column) { return number(r.images, i, column, r.path + "/per_image.csv"); };
      caption += fmt::format(" · Dice {:.3f} · precision {:.3f} · recall {:.3f}", cell(1), cell(2), cell(3));
    }
    html += fmt::format(
        "<figure><img alt=\"image, mask, probability and overlay of {}\" "
        "src=\"{}\"><figcaption>{}</figcaption></figure>\n",
        escape_markup(name), png_url(folder + "/" + file), caption);
  }
  return html + "</div>\n";
}

/// What strategy crf learned, and what its iterations do to an image; nothing for other strategies.
std::string crf_section(const std::vector<RunFiles>& runs) {
  const auto matrix = [](const nlohmann::ordered_json& rows) {
    std::string text;
    for (const auto& row : rows) {
      for (const auto& value : row) text += fmt::format("{:8.4f}", value.get<double>());
      text += "\n";
    }
    return text;
  };
  std::string html;
  for (const RunFiles& r : runs) {
    if (!r.evaluation.contains("crf")) continue;
    const auto& crf = r.evaluation.at("crf");
    html += fmt::format("<h3>{}</h3>\n<div class=\"charts\">\n", escape_markup(r.label));
    for (const auto& [key, title, initial] :
         {std::tuple{"spatial_weight", "Spatial weight", r.config.model.crf.spatial_weight},
          {"bilateral_weight", "Bilateral weight", r.config.model.crf.bilateral_weight},
          {"compatibility", "Compatibility", -1.0}})
      html += fmt::format("<figure><pre>{}</pre><figcaption>{}, initially {} I</figcaption></figure>\n",
                          matrix(crf.at(key)), title, initial);
    html += "</div>\n";
    for (const std::string& file : pictures_of(r, "film"))
      html += fmt::format(
          "<figure><img alt=\"iterations of the CRF on {0}\" src=\"{1}\"><figcaption>{0}: image, mask, the backbone's "
          "probability map (unary), iterations 1 to {2}, thresholded result</figcaption></figure>\n",
          escape_markup(data::base_name(file)), png_url(r.path + "/film/" + file), crf.value("iterations", int64_t(0)));
  }
  return html.empty()
             ? html
             : "<h2>The CRF</h2>\n<p>Label 0 is background, label 1 polyp: row l of the compatibility says what "
               "the other labels' weighted neighbours take from label l.</p>\n" +
                   html;
}

/// Training losses of all runs, a line for each loss.
std::string loss_chart(const std::vector<RunFiles>& runs) {
  Chart c{.title = "Training loss", .x_label = "epoch", .y_label = "loss", .series = {}, .x_range = {}, .y_range = {}};
  for (const RunFiles& r : runs)
    for (Series& s : training_losses(r.epochs, r.path + "/epochs.csv")) {
      s.name = r.label + ", " + s.name;
      c.series.push_back(std::move(s));
    }
  return to_svg(c);
}

/// Every epoch: which loss trained it, and where the model kept is one whose refiner was not trained in it.
std::string epoch_tables(const std::vector<RunFiles>& runs) {
  std::string html;
  for (const RunFiles& r : runs) {
    const std::string file = r.path + "/epochs.csv";
    html += fmt::format(
        "<details><summary>{}: epochs</summary>\n<table><tr><th>epoch</th><th>trained by</th>"
        "<th>loss</th><th>validation Dice</th><th>at</th><th>MSE</th><th></th></tr>\n",
        escape_markup(r.label));
    size_t kept = r.epochs.size();
    for (size_t i = 0; i < r.epochs.size(); ++i)
      if (number(r.epochs, i, 9, file) == 1) kept = i;
    for (size_t i = 0; i < r.epochs.size(); ++i) {
      std::string losses;
      for (size_t column : r.epochs[i].size() > 13 ? std::vector<size_t>{12, 13} : std::vector<size_t>{2})
        losses += fmt::format("{}{:.4f}", losses.empty() ? "" : ", ", number(r.epochs, i, column, file));
      const bool by_l1 = r.config.model.strategy == Strategy::cris && r.epochs[i][1] == name(Loss::mask_mse);
      html += fmt::format(
          "<tr><td>{}</td><td>{}</td><td>{}</td><td>{:.4f}</td><td>{:.2f}</td><td>{:.4f}</td>"
          "<td>{}</td></tr>\n",
          i + 1, escape_markup(r.epochs[i][1]), losses, number(r.epochs, i, 10, file), number(r.epochs, i, 11, file),
          number(r.epochs, i, 7, file),
          i != kept ? ""
          : by_l1   ? "kept, an epoch of L1"
                    : "kept");
    }
    html += "</table></details>\n";
  }
  return html;
}

/// What each run's refiner makes of a mask, epoch by epoch; nothing without one.
std::string refiner_section(const std::vector<RunFiles>& runs) {
  std::string html;
  for (const RunFiles& r : runs) {
    const std::vector<Series> lines = refiner_response(r);
    if (lines.empty()) continue;
    html += to_svg({.title = r.label,
                    .x_label = "epoch",
                    .y_label = "refined",
                    .series = lines,
                    .x_range = {},
                    .y_range = {{0, 1}}});
  }
  return html.empty() ? html
                      : "<h2>The refiner</h2>\n<p>What it makes of masks that are 0, 0.25, 0.5, 0.75 or 1 everywhere, "
                        "after each epoch. The lines should keep their order: a refiner whose output falls where its "
                        "mask rises teaches the backbone the inverse mask, and one whose lines are one teaches "
                        "nothing.</p>\n<div class=\"charts\">\n" +
                            html + "</div>\n";
}

}  // namespace

std::string html_report(const std::vector<std::string>& paths, const std::string& title) {
  std::vector<RunFiles> runs;
  for (const std::string& path : paths) runs.push_back(read_run(path));
  data::require_data(!runs.empty(), "report: no run given");
  label_runs(runs);
  const auto chart = [&](const char* name, const char* x, const char* y, const char* file, Rows RunFiles::*rows,
                         size_t column_x, size_t column_y, bool unit) {
    Chart c{.title = name, .x_label = x, .y_label = y, .series = {}, .x_range = {}, .y_range = {}};
    if (unit) c.x_range = c.y_range = {{0, 1}};
    for (const RunFiles& r : runs) c.series.push_back(series_of(r, file, r.*rows, column_x, column_y));
    return to_svg(c);
  };
  std::string html = page_begin(title);
  const RunFiles& first = runs[0];
  html += fmt::format(
      "<p>{} at {}×{}, {} training, {} validation and {} test images. The model kept is that of the epoch marked "
      "below, by default the best validation Dice; its threshold maximises Dice on the training set.</p>\n",
      escape_markup(data_name(first.config)), first.config.data.size, first.config.data.size,
      first.manifest.at("images").value("training", 0), first.manifest.at("images").value("validation", 0),
      first.manifest.at("images").value("test", 0));
  html += "<h2>Results on the test set</h2>\n" + comparison_table(runs);
  html +=
      "<p>Dice, precision, recall and MSE are means over images; an empty mask met by an empty prediction counts 1. "
      "MSE is of probability maps, beside it of thresholded masks; \"at 0.5\" is Dice at threshold 0.5, \"stretched\" "
      "the "
      "mean Dice over 256 thresholds of maps stretched to 0..1, as PraNet's program takes it. "
      "Two runs whose intervals below overlap are within the noise of "
      "the test set; several seeds tell the noise of training.</p>\n" +
      spread_table(runs);
  html += "<h2>Training</h2>\n<div class=\"charts\">\n";
  html +=
      chart("Validation Dice at its best threshold", "epoch", "Dice", "epochs.csv", &RunFiles::epochs, 0, 10, false);
  html += loss_chart(runs);
  html += chart("Validation MSE", "epoch", "MSE", "epochs.csv", &RunFiles::epochs, 0, 7, false);
  html +=
      "</div>\n<p>Strategy cris alternates two losses, L1, the mean squared error of the mask, and L2, the cross "
      "entropy of the refined output; each is a line.</p>\n";
  html += epoch_tables(runs);
  html += refiner_section(runs);
  html += "<h2>Precision and recall</h2>\n<div class=\"charts\">\n";
  html +=
      chart("Pooled pixels", "recall", "precision", "precision_recall.csv", &RunFiles::precision_recall, 2, 1, true);
  html += chart("Mean over images", "recall", "precision", "precision_recall_images.csv",
                &RunFiles::precision_recall_images, 0, 1, true);
  html += chart("Dice by threshold", "threshold", "mean Dice", "curves.csv", &RunFiles::curves, 0, 6, true);
  html +=
      "</div>\n<h2>The worst images</h2>\n<p>From left to right: image, mask, probability map, overlay."
      "<span class=\"key\" style=\"background:#00be6e\"></span>both<span class=\"key\" "
      "style=\"background:#ff8c00\"></span>prediction only"
      "<span class=\"key\" style=\"background:#1e6eff\"></span>mask only</p>\n";
  for (const RunFiles& r : runs)
    html += fmt::format("<details{}><summary>{}</summary>\n{}</details>\n", &r == &runs[0] ? " open" : "",
                        escape_markup(r.label), worst_images(r));
  html += crf_section(runs);
  html += "<h2>How it was made</h2>\n";
  for (const RunFiles& r : runs)
    html +=
        fmt::format("<details><summary>{}: manifest and configuration</summary><pre>{}</pre><pre>{}</pre></details>\n",
                    escape_markup(r.label), escape_markup(r.manifest.dump(2)), escape_markup(to_toml(r.config)));
  return html + page_end();
}

}  // namespace cris
