/// The report: what each run left behind, read back from its files.
#include "cris/report/html_report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <tuple>

#include "cris/report/comparison.h"
#include "cris/report/crf_filmstrip.h"
#include "cris/report/examples.h"
#include "cris/report/html_page.h"
#include "cris/report/svg_chart.h"
#include "cris/report/threshold_slider.h"
#include "cris/run/experiment.h"
#include "cris/run/memory_plan.h"
#include "data/files.h"

namespace cris {

namespace {

/// The mean over a cell's seeds of columns x and y, a point for each x; the band spans the seeds.
Series mean_line(const ReportCell& cell, const std::string& file, Rows RunFiles::*rows, size_t x, size_t y) {
  Series line{.name = cell.label};
  std::map<double, std::vector<double>> values;
  for (const RunFiles& r : cell.runs)
    for (const auto& [at, value] : points_of(r.*rows, x, y, r.path + "/" + file)) values[at].push_back(value);
  for (const auto& [at, seeds] : values) {
    line.points.emplace_back(at, spread(seeds).mean);
    line.band.emplace_back(std::ranges::min(seeds), std::ranges::max(seeds));
  }
  if (cell.runs.size() == 1) line.band.clear();
  return line;
}

/// Charts of at most kMostSeries lines, as many as it takes.
std::string charts(const Chart& empty, const std::vector<Series>& lines) {
  std::string html;
  const size_t count = (lines.size() + kMostSeries - 1) / kMostSeries;
  for (size_t c = 0; c < count; ++c) {
    Chart chart = empty;
    if (count > 1) chart.title += fmt::format(" ({} of {})", c + 1, count);
    const size_t each = (lines.size() + count - 1) / count;
    for (size_t i = c * each; i < std::min(lines.size(), (c + 1) * each); ++i) chart.series.push_back(lines[i]);
    html += to_svg(chart);
  }
  return html;
}

std::string training_charts(const std::vector<ReportCell>& cells) {
  std::vector<Series> dice, loss, error, validation;
  for (const ReportCell& c : cells) {
    dice.push_back(mean_line(c, "epochs.csv", &RunFiles::epochs, 0, 10));
    error.push_back(mean_line(c, "epochs.csv", &RunFiles::epochs, 0, 7));
    const RunFiles& first = c.runs[0];
    // The last of 13 columns, or of 15 where both losses of cris have one. Seeds of an older version have none: then
    // the cell has no line.
    const auto has_loss = [](const RunFiles& r) { return !r.epochs.empty() && r.epochs[0].size() % 2 == 1; };
    if (std::ranges::all_of(c.runs, has_loss))
      validation.push_back(mean_line(c, "epochs.csv", &RunFiles::epochs, 0, first.epochs[0].size() - 1));
    for (size_t i = 0; i < first.epochs.size(); ++i)
      if (c.runs.size() == 1 && number(first.epochs, i, 9, first.path + "/epochs.csv") == 1 &&
          first.config.train.keep != Keep::last)
        dice.back().marks = {dice.back().points.at(i)};
    for (Series& s : training_losses(first.epochs, first.path + "/epochs.csv")) {
      s.name = c.label + ", " + s.name;
      loss.push_back(std::move(s));
    }
  }
  const auto chart = [](const char* title, const char* y) {
    return Chart{.title = title, .x_label = "epoch", .y_label = y};
  };
  return "<div class=\"charts\">\n" + charts(chart("Validation Dice at its best threshold", "Dice, %"), dice) +
         charts(chart("Validation cross entropy", "loss"), validation) + charts(chart("Validation MSE", "MSE"), error) +
         charts(chart(cells[0].runs.size() > 1 ? "Training loss, first seed" : "Training loss", "loss"), loss) +
         "</div>\n";
}

std::string curve_charts(const std::vector<ReportCell>& cells) {
  std::vector<Series> pooled, images, thresholds, reliability;
  for (const ReportCell& c : cells) {
    const RunFiles& first = c.runs[0];
    pooled.push_back({.name = c.label, .points = precision_recall_of(first, true)});
    images.push_back({.name = c.label, .points = precision_recall_of(first, false)});
    Series& line = thresholds.emplace_back(mean_line(c, "curves.csv", &RunFiles::curves, 0, 6));
    const double chosen = first.evaluation.at("chosen_on_training_set").value("threshold", 0.5);
    line.marks = {std::ranges::min(line.points, {}, [&](const auto& p) { return std::abs(p.first - chosen); })};
    const auto measures = first.evaluation.value("measures", nlohmann::ordered_json::object());
    if (!measures.contains("calibration")) continue;
    const auto area = [&](const char* of) {  // there is none where no image shows a polyp
      const auto found = measures[of].find("average_precision");
      return found == measures[of].end() ? "" : fmt::format(", AP {:.1f} %", 100 * found->template get<double>());
    };
    pooled.back().name += area("pooled"), images.back().name += area("mean");
    reliability.push_back({.name = c.label});
    for (const auto& bin : measures["calibration"])
      if (bin.value("pixels", int64_t(0)) > 0)
        reliability.back().points.emplace_back(bin.value("probability", 0.0), bin.value("polyp", 0.0));
  }
  return "<div class=\"charts\">\n" +
         charts(unit_chart("Precision and recall, all pixels", "recall, %", "precision, %"), pooled) +
         charts(unit_chart("Precision and recall, mean over images", "recall, %", "precision, %"), images) +
         charts(unit_chart("Dice by threshold", "threshold", "mean Dice, %"), thresholds) +
         charts(unit_chart("Reliability", "probability", "share of polyp"), reliability) + "</div>\n";
}

/// The first test images, good or bad, as every cell sees them.
std::string same_images(const std::vector<ReportCell>& cells) {
  const RunFiles& first = cells[0].runs[0];
  const std::string end = "_probability.png";
  std::string html;
  for (const std::string& file : pictures_of(first, "maps", end)) {
    const std::string stem = file.substr(0, file.size() - end.size());
    html += fmt::format("<h3>{}</h3>\n", escape_markup(stem.substr(3)));
    for (size_t from = 0; from < cells.size(); from += 6) {
      std::string names = "<th>image</th><th>truth</th>", row;
      for (const char* what : {"image", "mask"})
        row += fmt::format("<td><img alt=\"{} of {}\" src=\"{}\"></td>", what, escape_markup(stem),
                           png_url(first.path + "/maps/" + stem + "_" + what + ".png"));
      for (size_t i = from; i < std::min(cells.size(), from + 6); ++i) {
        const std::string path = cells[i].runs[0].path + "/maps/" + file;
        if (!std::filesystem::exists(path)) continue;
        names += fmt::format("<th>{}</th>", escape_markup(cells[i].label));
        row += fmt::format("<td><img class=\"map\" alt=\"probability map by {}\" src=\"{}\"></td>",
                           escape_markup(cells[i].label), png_url(path));
      }
      html += fmt::format("<div class=\"card\"><table class=\"maps plain\"><tr>{}</tr>\n<tr>{}</tr></table></div>\n",
                          names, row);
    }
  }
  return html;
}

std::string example_images(const RunFiles& r) {
  std::string html = "<div class=\"shots\">\n";
  for (const std::string& file : pictures_of(r, "overlays")) {
    const auto& [name, rank] = shown_in(data::base_name(file));
    std::string caption = rank + ": " + escape_markup(name);
    for (size_t i = 0; i < r.images.size(); ++i) {
      if (r.images[i][0] != name) continue;
      const auto cell = [&](size_t column) { return 100 * number(r.images, i, column, r.path + "/per_image.csv"); };
      caption += fmt::format(" · Dice {:.1f} % · precision {:.1f} % · recall {:.1f} %", cell(1), cell(2), cell(3));
    }
    html += fmt::format(
        "<figure><img alt=\"image, mask, probability and overlay of {}\" "
        "src=\"{}\"><figcaption>{}</figcaption></figure>\n",
        escape_markup(name), png_url(r.path + "/overlays/" + file), caption);
  }
  return html + "</div>\n";
}

/// What stands below the frames of a film strip of a CRF with so many iterations.
std::string frame_names(int64_t iterations) {
  std::vector<std::string> names = {"image", "mask", "unary"};
  for (const int64_t k : film_iterations(iterations)) names.push_back(fmt::format("{}", k));
  names.push_back("result");
  std::string html = fmt::format("<div class=\"frames\" style=\"grid-template-columns:repeat({},1fr)\">", names.size());
  for (const std::string& n : names) html += fmt::format("<span>{}</span>", n);
  return html + "</div>";
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
          "<figure><img alt=\"iterations of the CRF on {0}\" src=\"{1}\">{2}<figcaption>{0}</figcaption></figure>\n",
          escape_markup(data::base_name(file)), png_url(r.path + "/film/" + file),
          frame_names(crf.value("iterations", int64_t(0))));
  }
  return html.empty()
             ? html
             : "<h2>The CRF</h2>\n<p>Label 0 is background, label 1 polyp: row l of the compatibility says what "
               "the other labels' weighted neighbours take from label l. The strips: image, mask, the backbone's "
               "probability map (unary), the map after each iteration (12 of them, evenly spread, where there are "
               "more), the last one thresholded.</p>\n" +
                   html;
}

/// Every epoch: which loss trained it, and where the model kept is one whose refiner was not trained in it.
std::string epoch_tables(const std::vector<RunFiles>& runs) {
  std::string html;
  for (const RunFiles& r : runs) {
    const std::string file = r.path + "/epochs.csv";
    Table table{.name = "epochs",
                .title = r.label,
                .columns = {"epoch", "trained by", "loss", "validation Dice, %", "at", "MSE", ""}};
    size_t kept = r.epochs.size();
    for (size_t i = 0; i < r.epochs.size(); ++i)
      if (number(r.epochs, i, 9, file) == 1) kept = i;
    for (size_t i = 0; i < r.epochs.size(); ++i) {
      std::string losses;
      for (size_t column : r.epochs[i].size() > 13 ? std::vector<size_t>{12, 13} : std::vector<size_t>{2})
        losses += fmt::format("{}{:.4f}", losses.empty() ? "" : ", ", number(r.epochs, i, column, file));
      const bool by_l1 = r.config.model.strategy == Strategy::cris && r.epochs[i][1] == name(Loss::mask_mse);
      table.rows.push_back({{fmt::format("{}", i + 1)},
                            {r.epochs[i][1]},
                            {losses},
                            {fmt::format("{:.1f}", 100 * number(r.epochs, i, 10, file))},
                            {fmt::format("{:.2f}", number(r.epochs, i, 11, file))},
                            {fmt::format("{:.4f}", number(r.epochs, i, 7, file))},
                            {i != kept ? ""
                             : by_l1   ? "kept, trained by mse"
                                       : "kept"}});
    }
    html +=
        fmt::format("<details><summary>{}: epochs</summary>\n{}</details>\n", escape_markup(r.label), to_html(table));
  }
  return html;
}

/// What each run's refiner makes of a mask, epoch by epoch; nothing without one.
std::string refiner_section(const std::vector<RunFiles>& runs) {
  std::string html;
  for (const RunFiles& r : runs) {
    const std::vector<Series> lines = refiner_response(r);
    if (lines.empty()) continue;
    html += to_svg({.title = r.label, .x_label = "epoch", .y_label = "refined", .series = lines, .y_range = {{0, 1}}});
  }
  return html.empty() ? html
                      : "<h2>The refiner</h2>\n<p>What it makes of masks that are 0, 0.25, 0.5, 0.75 or 1 everywhere, "
                        "after each epoch. The lines should keep their order: a refiner whose output falls where its "
                        "mask rises teaches the backbone the inverse mask, and one whose lines are one teaches "
                        "nothing.</p>\n<div class=\"charts\">\n" +
                            html + "</div>\n";
}

Table cost_table(const std::vector<RunFiles>& runs) {
  Table table{.name = "cost",
              .title = "What each run cost",
              .columns = {"", "parameters", "epochs", "training, min", "network, ms an image", "device", "finished"}};
  for (const RunFiles& r : runs)
    table.rows.push_back(
        {{r.label},
         {grouped(r.evaluation.value("parameters", int64_t(0)))},
         {fmt::format("{}", r.epochs.size())},
         {r.timing.seconds > 0 ? fmt::format("{:.1f}", r.timing.seconds / 60) : "-"},
         {r.timing.network_ms_an_image > 0 ? fmt::format("{:.2f}", r.timing.network_ms_an_image) : "-"},
         {r.manifest.value("device", std::string())},
         {r.finished.empty() ? "-" : r.finished}});
  return table;
}

}  // namespace

std::vector<Table> report_tables(const std::vector<ReportCell>& cells) {
  const std::vector<CellDifference> pairs = compare(cells);
  std::vector<Table> tables = {results_table(cells, pairs)};
  if (!pairs.empty()) tables.push_back(differences_table(cells, pairs));
  // Runs of an older version were not measured so.
  if (std::ranges::any_of(cells, [](const ReportCell& c) { return c.runs[0].evaluation.contains("measures"); }))
    tables.insert(tables.end(), {measures_table(cells), size_table(cells)});
  return tables;
}

std::string html_report(const std::vector<ReportCell>& cells, const std::string& title) {
  std::string html = page_begin(title);
  const RunFiles& first = cells[0].runs[0];
  const auto& images = first.manifest.at("images");
  const auto made = first.manifest.value("environment", nlohmann::ordered_json::object());
  html += fmt::format(
      "<p>{} at {} × {} pixels: {} training, {} validation and {} test images; split: {}. Made by cris {} (commit {}) "
      "on {}{}. The model kept is by default that of the epoch with the best validation Dice; its threshold maximises "
      "Dice on the training set.</p>\n",
      escape_markup(data_name(first.config)), first.config.data.size, first.config.data.size,
      images.value("training", 0), images.value("validation", 0), images.value("test", 0),
      escape_markup(first.manifest.value("split_protocol", std::string())), made.value("version", std::string()),
      made.value("commit", std::string()), escape_markup(made.value("cpu", std::string())),
      first.finished.empty() ? "" : ", " + first.finished);
  const std::vector<Table> tables = report_tables(cells);
  html += "<h2>Results on the test set</h2>\n" + to_html(tables[0]);
  for (const std::string& note : honesty_notes(cells)) html += fmt::format("<p>{}</p>\n", escape_markup(note));
  html += fmt::format(
      "<p>Means over {} images; with several seeds ± is their standard deviation. Intervals: bootstrap over seeds and "
      "images, {} resamples. A value stands in bold where it is higher than every other and each difference below is "
      "certain.</p>\n",
      cells[0].dice[0].size(), kStudyResamples);
  for (const Table& t : tables) {
    if (t.name == "results") continue;
    html += fmt::format("<h3>{}</h3>\n", t.title) + to_html(t);
    if (t.name == "differences")
      html += fmt::format(
          "<p>All methods see the same {} images, so differences are taken image by image. \"Higher\" asks for two "
          "seeds in common, an interval above 0, and Wilcoxon's signed-rank p below 0.05 after Holm's correction for "
          "the {} pairs.</p>\n",
          cells[0].dice[0].size(), t.rows.size());
    if (t.name == "measures")
      html +=
          "<p>AP: average precision. HD95 and ASSD count the picture's diagonal where a polyp was not found at "
          "all.</p>\n";
  }
  html += "<h2>Training</h2>\n" + training_charts(cells) +
          "<p>A dot marks the epoch whose model was kept; a band spans the seeds.</p>\n";
  if (std::ranges::any_of(cells, [](const ReportCell& c) { return c.runs[0].config.model.strategy == Strategy::cris; }))
    html +=
        "<p>Strategy cris alternates two losses, L1, the mean squared error of the mask, and L2, the cross entropy of "
        "the refined output; each is a line.</p>\n";
  std::vector<RunFiles> runs;
  for (const ReportCell& c : cells) runs.insert(runs.end(), c.runs.begin(), c.runs.end());
  html += epoch_tables(runs) + refiner_section(runs);
  html += "<h2>Precision, recall and thresholds</h2>\n" + threshold_slider(cells) + curve_charts(cells) +
          fmt::format("<p>{}A dot marks the threshold that was chosen on the training set.</p>\n",
                      runs.size() > cells.size() ? "The first seed of each cell. " : "");
  html +=
      "<h2>The same images by every method</h2>\n<p>The first images of the test set, not chosen by result: image, "
      "truth, probability maps.</p>\n" +
      same_images(cells);
  html +=
      "<h2>Worst, median, best and random images</h2>\n<p>From left to right: image, mask, probability map, overlay."
      "<span class=\"key\" style=\"background:#00be6e\"></span>both<span class=\"key\" "
      "style=\"background:#ffe100\"></span>prediction only"
      "<span class=\"key\" style=\"background:#1e6eff\"></span>mask only</p>\n";
  for (const ReportCell& c : cells)
    html += fmt::format("<details{}><summary>{}</summary>\n{}</details>\n", &c == &cells[0] ? " open" : "",
                        escape_markup(c.runs[0].label), example_images(c.runs[0]));
  html += crf_section(runs);
  html += "<h2>How it was made</h2>\n" + to_html(cost_table(runs)) +
          "<p>Milliseconds an image are the network's alone, in batches of the training's size; the median over "
          "the epochs' validations. Times are as measured, beside whatever else the machine did.</p>\n<pre>";
  for (const RunFiles& r : runs) html += escape_markup(r.manifest.value("command", std::string())) + "\n";
  html += "</pre>\n";
  for (const RunFiles& r : runs)
    html +=
        fmt::format("<details><summary>{}: manifest and configuration</summary><pre>{}</pre><pre>{}</pre></details>\n",
                    escape_markup(r.label), escape_markup(r.manifest.dump(2)), escape_markup(to_toml(r.config)));
  return with_contents(html + threshold_script(cells) + page_end());
}

}  // namespace cris
