/// Claims, cells, and the order of strategies with its noise.
#include "cris/report/paper_tables.h"

#include <algorithm>

#include "cris/backbone.h"
#include "cris/metrics.h"
#include "cris/report/comparison.h"
#include "cris/report/html_page.h"
#include "cris/report/paper_claims.h"
#include "data/format_error.h"

namespace cris {

namespace {

using Cell = std::vector<RunFiles>;

const Cell& cell(const PaperTable& t, int backbone, Strategy s) { return t.cells[size_t(backbone)][size_t(s)]; }

/// Right-aligned by characters.
std::string padded(const std::string& text, size_t width) {
  const size_t count = characters(text);
  return std::string(count < width ? width - count : 1, ' ') + text;
}

/// All runs, by cell.
std::vector<const RunFiles*> runs_of(const PaperTable& t) {
  std::vector<const RunFiles*> runs;
  for (const auto& row : t.cells)
    for (const Cell& c : row)
      for (const RunFiles& r : c) runs.push_back(&r);
  return runs;
}

/// The cells of one backbone that have runs, in the paper's order.
std::vector<ReportCell> cells_of(const PaperTable& t, int backbone) {
  std::vector<ReportCell> cells;
  for (const auto& row : kPaperRows)
    if (const Cell& runs = cell(t, backbone, row.strategy); !runs.empty())
      cells.push_back({.label = row.title, .runs = runs, .dice = dice_of_images(runs)});
  return cells;
}

/// Claimed beside measured, a row for each cell; and the cells.
std::pair<Table, std::vector<ReportCell>> claims_of(const PaperTable& t) {
  Table table{.name = "claims",
              .title = t.set,
              .columns = {"", "DICE claimed", "DICE measured", "95 % interval", "MSE claimed", "MSE measured"}};
  std::vector<ReportCell> all;
  for (int b = 0; b < 3; ++b)
    for (size_t row = 0; row < std::size(kPaperRows); ++row) {
      const PaperClaim& claim = kPaperClaims[t.number - 1][row][b];
      const Cell& runs = cell(t, b, kPaperRows[row].strategy);
      if (runs.empty()) continue;
      all.push_back({.label = fmt::format("{}: {}", kPaperBackbones[b], kPaperRows[row].title),
                     .runs = runs,
                     .dice = dice_of_images(runs)});
      const Interval interval = hierarchical_bootstrap(all.back().dice);
      table.rows.push_back({{all.back().label},
                            {fmt::format("{:.2f}", claim.dice)},
                            {measured_text(runs, "dice", 100, 2)},
                            {fmt::format("{:.2f} to {:.2f}", 100 * interval.low, 100 * interval.high)},
                            {fmt::format("{:.3f}", claim.mse)},
                            {measured_text(runs, "mse", 1, 3)}});
    }
  return {table, all};
}

/// That table, and the pairs of each backbone below.
std::string html_tables(const PaperTable& t) {
  const auto [table, all] = claims_of(t);
  std::string html = to_html(table);
  for (const std::string& note : honesty_notes(all)) html += fmt::format("<p>{}</p>\n", escape_markup(note));
  if (const auto pairs = compare(all); !pairs.empty())
    html += "<h3>Differences of Dice, strategies of one backbone</h3>\n" + to_html(differences_table(all, pairs));
  return html;
}

/// Rows: backbones; columns: image, mask, strategies. One grid for each image that the runs keep.
std::string map_grids(const PaperTable& t) {
  const RunFiles& first = *runs_of(t).at(0);
  const auto image = [](const std::string& path, const std::string& what) {
    return fmt::format("<td><img alt=\"{}\" src=\"{}\"></td>", escape_markup(what), png_url(path));
  };
  std::string html;
  const std::string end = "_probability.png";
  for (const std::string& file : pictures_of(first, "maps", end)) {
    const std::string stem = file.substr(0, file.size() - end.size());
    html += fmt::format(
        "<h3>{}: image {}</h3>\n<div class=\"card\"><table class=\"maps\"><tr><th></th><th>image</th>"
        "<th>mask</th>",
        t.set, escape_markup(stem.substr(3)));
    for (const auto& row : kPaperRows) html += fmt::format("<th>{}</th>", row.title);
    html += "</tr>\n";
    for (int b = 0; b < 3; ++b) {
      if (cells_of(t, b).empty()) continue;
      html += fmt::format("<tr><th>{}</th>", kPaperBackbones[b]) +
              image(first.path + "/maps/" + stem + "_image.png", "image") +
              image(first.path + "/maps/" + stem + "_mask.png", "mask");
      for (const auto& row : kPaperRows) {
        const Cell& runs = cell(t, b, row.strategy);
        html += runs.empty() ? "<td>-</td>"
                             : image(runs[0].path + "/maps/" + file,
                                     fmt::format("probability map of {} {}", kPaperBackbones[b], row.title));
      }
      html += "</tr>\n";
    }
    html += "</table></div>\n";
  }
  return html;
}

/// Throws when runs `a` and `b` of one table cannot be compared.
void check_comparable(const RunFiles& a, const RunFiles& b) {
  for (const std::string& d : setting_differences(a, b,
                                                  {"data.dir:", "data.split:", "model.backbone:", "model.base:",
                                                   "train.strategy:", "train.seed:", "train.learning_rate:", "run."}))
    data::require_data(false, "{} and {} do not compare: {}; train them alike or leave one out", a.path, b.path, d);
  data::require_data(a.manifest.value("split_sha256", "") == b.manifest.value("split_sha256", ""),
                     "{} and {} do not compare: their splits differ", a.path, b.path);
}

}  // namespace

std::string measured_text(const std::vector<RunFiles>& runs, const char* key, double scale, int digits) {
  if (runs.empty()) return "-";
  std::vector<double> values;
  for (const RunFiles& r : runs) values.push_back(r.evaluation.at("chosen_on_training_set").value(key, 0.0));
  const auto [mean, deviation] = spread(values);
  const std::string text = fmt::format("{:.{}f}", scale * mean, digits);
  return runs.size() == 1 ? text : fmt::format("{}±{:.{}f}", text, scale * deviation, digits);
}

std::string table_conditions(const PaperTable& t) {
  const std::vector<const RunFiles*> runs = runs_of(t);
  if (runs.empty()) return "no run";
  const RunFiles& r = *runs[0];
  const auto& images = r.manifest.at("images");
  return fmt::format("{}x{} pixels, {} epochs, {} training, {} validation, {} test images; split: {}",
                     r.config.data.size, r.config.data.size, r.config.train.epochs, images.value("training", 0),
                     images.value("validation", 0), images.value("test", 0),
                     r.manifest.value("split_protocol", std::string()));
}

std::string paper_json(const std::vector<PaperTable>& tables) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const PaperTable& t : tables) {
    const auto [table, all] = claims_of(t);
    list.push_back({{"table", t.number},
                    {"set", t.set},
                    {"conditions", table_conditions(t)},
                    {"cells", nlohmann::ordered_json::parse(to_json(table))},
                    {"differences", nlohmann::ordered_json::parse(to_json(differences_table(all, compare(all))))},
                    {"notes", honesty_notes(all)}});
  }
  return list.dump();
}

std::string precision_recall_html(const PaperTable& t, bool pooled) {
  std::string html = "<div class=\"charts\">\n";
  for (int b = 0; b < 3; ++b) {
    Chart chart =
        unit_chart(fmt::format("{}, {} ({})", kPaperBackbones[b], t.set, pooled ? "pooled pixels" : "mean over images"),
                   "recall, %", "precision, %");
    for (const ReportCell& c : cells_of(t, b))
      chart.series.push_back({.name = c.label, .points = precision_recall_of(c.runs[0], pooled)});
    if (!chart.series.empty()) html += to_svg(chart);
  }
  return html + "</div>\n";
}

std::vector<PaperTable> paper_tables(const std::vector<std::string>& kvasir, const std::vector<std::string>& cvc) {
  std::vector<PaperTable> tables{{"Kvasir-SEG", 1, {}}, {"CVC-ClinicDB", 2, {}}};
  for (PaperTable& t : tables) {
    for (const std::string& path : t.number == 1 ? kvasir : cvc) {
      RunFiles run = read_run(path);
      if (const auto others = runs_of(t); !others.empty()) check_comparable(*others[0], run);
      Cell& runs = t.cells[size_t(run.config.model.backbone.kind)][size_t(run.config.model.strategy)];
      const auto seed = [](const RunFiles& r) { return r.config.train.seed; };
      const auto at = std::ranges::lower_bound(runs, seed(run), {}, seed);
      data::require_data(at == runs.end() || seed(*at) != seed(run), "{} and {} are the same cell with the same seed",
                         at == runs.end() ? "" : at->path, path);
      runs.insert(at, std::move(run));
    }
  }
  std::erase_if(tables, [](const PaperTable& t) { return runs_of(t).empty(); });
  return tables;
}

std::string paper_text(const std::vector<PaperTable>& tables) {
  std::string text;
  for (const PaperTable& t : tables) {
    bool seeds = false;
    for (const auto& row : t.cells) seeds |= std::ranges::any_of(row, [](const Cell& c) { return c.size() > 1; });
    const size_t width = seeds ? 13 : 9;
    text += fmt::format("Table {}: {} ({})\n{:<16}", t.number, t.set, table_conditions(t), "");
    for (const char* b : kPaperBackbones) text += fmt::format("  {:<{}}", b, 16 + 2 * width);
    text += fmt::format("\n{:<16}", "");
    for (int b = 0; b < 3; ++b)
      text += fmt::format("  {:>8}{:>{}}{:>8}{:>{}}", "DICE", "measured", width, "MSE", "measured", width);
    text += "\n";
    for (size_t row = 0; row < std::size(kPaperRows); ++row) {
      text += fmt::format("{:<16}", kPaperRows[row].title);
      for (int b = 0; b < 3; ++b) {
        const PaperClaim& claim = kPaperClaims[t.number - 1][row][b];
        const Cell& runs = cell(t, b, kPaperRows[row].strategy);
        text += fmt::format("  {:>8.2f}{}{:>8.3f}{}", claim.dice, padded(measured_text(runs, "dice", 100, 2), width),
                            claim.mse, padded(measured_text(runs, "mse", 1, 3), width));
      }
      text += "\n";
    }
    for (int b = 0; b < 3; ++b)
      if (const std::string order = order_text(cells_of(t, b)); !order.empty())
        text += fmt::format("{:<8}{}\n", kPaperBackbones[b], order);
    text += "\n";
  }
  return text;
}

std::string paper_html(const std::vector<PaperTable>& tables, const std::string& title) {
  std::string html =
      page_begin(title) +
      "<p>Claimed: tables 1 and 2 of <i>CRIS: Collaborative Refinement Integrated with Segmentation</i> (arXiv "
      "2405.19672), one run a cell. Measured: the mean over test images at the threshold that maximises Dice on the "
      "training set, then the mean ± deviation over seeds where there are several. Size, width and epochs of the "
      "paper's runs are not published; those used here stand under each table, and small ones are not the paper's "
      "study.</p>\n";
  for (const PaperTable& t : tables) {
    html += fmt::format("<h2>Table {}: {}</h2>\n<p>{}.</p>\n", t.number, t.set, escape_markup(table_conditions(t))) +
            html_tables(t);
  }
  html +=
      "<p>Intervals and differences: images and seeds are drawn anew 10,000 times; Wilcoxon's signed-rank test takes "
      "differences image by image, and Holm's correction counts the pairs of the table.</p>\n";
  for (const PaperTable& t : tables)
    html +=
        fmt::format("<h2>Figure {}: precision and recall, {}</h2>\n<p>The first seed of each cell.</p>\n", t.number + 2,
                    t.set) +
        precision_recall_html(t, true) +
        fmt::format("<details><summary>Mean over images</summary>\n{}</details>\n", precision_recall_html(t, false));
  html +=
      "<h2>Figure 5: probability maps</h2>\n<p>Backbones in rows, strategies in columns: the first images of the "
      "test sets, not chosen by result; the first seed of each cell. The paper shows CVC-ClinicDB.</p>\n";
  for (auto t = tables.rbegin(); t != tables.rend(); ++t) html += map_grids(*t);
  html += "<h2>How it was made</h2>\n";
  for (const PaperTable& t : tables)
    for (const RunFiles* r : runs_of(t))
      html += fmt::format("<details><summary>{}: {} {} seed {}</summary><pre>{}</pre><pre>{}</pre></details>\n", t.set,
                          name(r->config.model.backbone.kind), name(r->config.model.strategy), r->config.train.seed,
                          escape_markup(r->manifest.dump(2)), escape_markup(to_toml(r->config)));
  return with_contents(html + page_end());
}

}  // namespace cris
