/// Claims, cells, and the order of strategies with its noise.
#include "cris/report/paper_tables.h"

#include <algorithm>
#include <filesystem>

#include "cris/backbone.h"
#include "cris/metrics.h"
#include "cris/report/html_page.h"
#include "cris/report/paper_claims.h"
#include "data/format_error.h"

namespace cris {

namespace {

using Cell = std::vector<RunFiles>;

const Cell& cell(const PaperTable& t, int backbone, Strategy s) { return t.cells[size_t(backbone)][size_t(s)]; }

Spread measured(const Cell& runs, const char* key) {
  std::vector<double> values;
  for (const RunFiles& r : runs) values.push_back(r.evaluation.at("chosen_on_training_set").value(key, 0.0));
  return spread(values);
}

/// "45.12", or with several seeds "45.12±1.03"; "-" without a run.
std::string number_text(const Cell& runs, const char* key, double scale, int digits) {
  if (runs.empty()) return "-";
  const Spread s = measured(runs, key);
  const std::string mean = fmt::format("{:.{}f}", scale * s.mean, digits);
  return runs.size() == 1 ? mean : fmt::format("{}±{:.{}f}", mean, scale * s.deviation, digits);
}

/// Right-aligned by characters: "±" has two bytes.
std::string padded(const std::string& text, size_t width) {
  const auto characters =
      size_t(std::count_if(text.begin(), text.end(), [](char c) { return (uint8_t(c) & 0xC0) != 0x80; }));
  return std::string(characters < width ? width - characters : 1, ' ') + text;
}

const RunFiles* any_run(const PaperTable& t) {
  for (const auto& row : t.cells)
    for (const Cell& c : row)
      if (!c.empty()) return &c[0];
  return nullptr;
}

}  // namespace

std::string table_conditions(const PaperTable& t) {
  const RunFiles* r = any_run(t);
  if (!r) return "no run";
  const auto& images = r->manifest.at("images");
  return fmt::format("{}x{} pixels, {} epochs, {} training, {} validation, {} test images; split: {}",
                     r->config.data.size, r->config.data.size, r->config.train.epochs, images.value("training", 0),
                     images.value("validation", 0), images.value("test", 0),
                     r->manifest.value("split_protocol", std::string()));
}

namespace {

/// Dice of each test image, its mean over seeds.
std::vector<double> dice_by_image(const Cell& runs) {
  std::vector<double> sum = dice_of_images(runs[0]);
  for (size_t k = 1; k < runs.size(); ++k) {
    const std::vector<double> more = dice_of_images(runs[k]);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += more.at(i);
  }
  for (double& v : sum) v /= double(runs.size());
  return sum;
}

/// "cris 45.1 > crf 44.0 > ...; first minus second: 1.1 points, 95 % of resampled test sets -0.3 to 2.5: within noise".
std::string order_text(const PaperTable& t, int backbone) {
  struct Entry {
    const char* title;
    std::vector<double> dice;
    double mean;
  };
  std::vector<Entry> order;
  for (const auto& row : kPaperRows) {
    const Cell& runs = cell(t, backbone, row.strategy);
    if (runs.empty()) continue;
    const std::vector<double> dice = dice_by_image(runs);
    order.push_back({row.title, dice, measured(runs, "dice").mean});
  }
  if (order.size() < 2) return "";
  std::stable_sort(order.begin(), order.end(), [](const Entry& a, const Entry& b) { return a.mean > b.mean; });
  std::string text;
  for (const Entry& e : order) text += fmt::format("{}{} {:.2f}", text.empty() ? "" : " > ", e.title, 100 * e.mean);
  std::vector<double> gain;
  for (size_t i = 0; i < order[0].dice.size(); ++i) gain.push_back(order[0].dice[i] - order[1].dice.at(i));
  const Spread s = spread(gain);
  return text + fmt::format("; first minus second {:.2f} points, 95 % of resampled test sets {:.2f} to {:.2f}{}",
                            100 * s.mean, 100 * s.low, 100 * s.high,
                            s.low <= 0 ? ": within the noise of the test set" : "");
}

std::string html_table(const PaperTable& t) {
  std::string html = "<div class=\"card\"><table><tr><th></th>";
  for (const char* b : kPaperBackbones) html += fmt::format("<th colspan=\"4\">{}</th>", b);
  html += "</tr>\n<tr><th>strategy</th>";
  for (int b = 0; b < 3; ++b) html += "<th>DICE, claimed</th><th>measured</th><th>MSE, claimed</th><th>measured</th>";
  html += "</tr>\n";
  for (size_t row = 0; row < std::size(kPaperRows); ++row) {
    html += fmt::format("<tr><td>{}</td>", kPaperRows[row].title);
    for (int b = 0; b < 3; ++b) {
      const PaperClaim& claim = kPaperClaims[t.number - 1][row][b];
      const Cell& runs = cell(t, b, kPaperRows[row].strategy);
      const auto best = [&](const char* key, double sign) {
        return !runs.empty() && std::all_of(std::begin(kPaperRows), std::end(kPaperRows), [&](const auto& other) {
          const Cell& o = cell(t, b, other.strategy);
          return o.empty() || sign * measured(runs, key).mean >= sign * measured(o, key).mean;
        });
      };
      html += fmt::format("<td>{:.2f}</td><td{}>{}</td><td>{:.3f}</td><td{}>{}</td>", claim.dice,
                          best("dice", 1) ? " class=\"best\"" : "", number_text(runs, "dice", 100, 2), claim.mse,
                          best("mse", -1) ? " class=\"best\"" : "", number_text(runs, "mse", 1, 3));
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

}  // namespace

std::string precision_recall_html(const PaperTable& t, bool pooled) {
  std::string html = "<div class=\"charts\">\n";
  for (int b = 0; b < 3; ++b) {
    Chart chart{
        .title = fmt::format("{}, {} ({})", kPaperBackbones[b], t.set, pooled ? "pooled pixels" : "mean over images"),
        .x_label = "recall",
        .y_label = "precision",
        .series = {},
        .x_range = {{0, 1}},
        .y_range = {{0, 1}}};
    for (const auto& row : kPaperRows) {
      const Cell& runs = cell(t, b, row.strategy);
      if (runs.empty()) continue;
      chart.series.push_back(
          pooled ? series_of(runs[0], "precision_recall.csv", runs[0].precision_recall, 2, 1)
                 : series_of(runs[0], "precision_recall_images.csv", runs[0].precision_recall_images, 0, 1));
      chart.series.back().name = row.title;
    }
    html += to_svg(chart);
  }
  return html + "</div>\n";
}

namespace {

/// Rows: backbones; columns: image, mask, strategies. One grid for each image that the runs keep.
std::string map_grids(const PaperTable& t) {
  const RunFiles* first = any_run(t);
  if (!first) return "";
  const auto image = [](const std::string& path, const std::string& what) {
    return fmt::format("<td><img alt=\"{}\" src=\"{}\"></td>", escape_markup(what), png_url(path));
  };
  std::string html;
  const std::string end = "_probability.png";
  for (const std::string& file : pictures_of(*first, "maps", end)) {
    const std::string stem = file.substr(0, file.size() - end.size());
    html += fmt::format(
        "<h3>{}: image {}</h3>\n<div class=\"card\"><table class=\"maps\"><tr><th></th><th>image</th>"
        "<th>mask</th>",
        t.set, escape_markup(stem.substr(3)));
    for (const auto& row : kPaperRows) html += fmt::format("<th>{}</th>", row.title);
    html += "</tr>\n";
    for (int b = 0; b < 3; ++b) {
      html += fmt::format("<tr><th>{}</th>", kPaperBackbones[b]) +
              image(first->path + "/maps/" + stem + "_image.png", "image") +
              image(first->path + "/maps/" + stem + "_mask.png", "mask");
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
  const auto free = [](const std::string& d) {
    for (const char* key : {"data.dir:", "data.split:", "model.backbone:", "model.base:", "train.strategy:",
                            "train.seed:", "train.learning_rate:", "run."})
      if (d.starts_with(key)) return true;
    return false;
  };
  for (const std::string& d : differences(a.config, b.config))
    data::require_data(free(d), "{} and {} do not compare: {}; train them alike or leave one out", a.path, b.path, d);
  data::require_data(a.manifest.value("split_sha256", "") == b.manifest.value("split_sha256", ""),
                     "{} and {} do not compare: their splits differ", a.path, b.path);
}

}  // namespace

std::vector<PaperTable> paper_tables(const std::vector<std::string>& kvasir, const std::vector<std::string>& cvc) {
  std::vector<PaperTable> tables{{"Kvasir-SEG", 1, {}}, {"CVC-ClinicDB", 2, {}}};
  for (PaperTable& t : tables) {
    for (const std::string& path : t.number == 1 ? kvasir : cvc) {
      RunFiles run = read_run(path);
      if (const RunFiles* other = any_run(t)) check_comparable(*other, run);
      Cell& runs = t.cells[size_t(run.config.model.backbone.kind)][size_t(run.config.model.strategy)];
      const auto seed = [](const RunFiles& r) { return r.config.train.seed; };
      const auto at = std::find_if(runs.begin(), runs.end(), [&](const RunFiles& r) { return seed(r) >= seed(run); });
      data::require_data(at == runs.end() || seed(*at) != seed(run), "{} and {} are the same cell with the same seed",
                         at == runs.end() ? "" : at->path, path);
      runs.insert(at, std::move(run));
    }
  }
  return tables;
}

std::string paper_text(const std::vector<PaperTable>& tables) {
  std::string text;
  for (const PaperTable& t : tables) {
    bool seeds = false;
    for (const auto& row : t.cells)
      for (const Cell& c : row) seeds |= c.size() > 1;
    const size_t dice_width = seeds ? 13 : 9, mse_width = seeds ? 13 : 9;
    text += fmt::format("Table {}: {} ({})\n{:<16}", t.number, t.set, table_conditions(t), "");
    for (const char* b : kPaperBackbones) text += fmt::format("  {:<{}}", b, 16 + dice_width + mse_width);
    text += fmt::format("\n{:<16}", "");
    for (int b = 0; b < 3; ++b)
      text += fmt::format("  {:>8}{:>{}}{:>8}{:>{}}", "DICE", "measured", dice_width, "MSE", "measured", mse_width);
    text += "\n";
    for (size_t row = 0; row < std::size(kPaperRows); ++row) {
      text += fmt::format("{:<16}", kPaperRows[row].title);
      for (int b = 0; b < 3; ++b) {
        const PaperClaim& claim = kPaperClaims[t.number - 1][row][b];
        const Cell& runs = cell(t, b, kPaperRows[row].strategy);
        text += fmt::format("  {:>8.2f}{}{:>8.3f}{}", claim.dice, padded(number_text(runs, "dice", 100, 2), dice_width),
                            claim.mse, padded(number_text(runs, "mse", 1, 3), mse_width));
      }
      text += "\n";
    }
    for (int b = 0; b < 3; ++b)
      if (const std::string order = order_text(t, b); !order.empty())
        text += fmt::format("{:<8}{}\n", kPaperBackbones[b], order);
    text += "\n";
  }
  return text;
}

std::string paper_html(const std::vector<PaperTable>& tables, const std::string& title) {
  std::string html = page_begin(title);
  html +=
      "<p>Claimed: tables 1 and 2 of <i>CRIS: Collaborative Refinement Integrated with Segmentation</i> (arXiv "
      "2405.19672), one run a cell. Measured: the mean over test images at the threshold that maximises Dice on the "
      "training set, then the mean ± deviation over seeds where there are several. Size, width and epochs of the "
      "paper's runs are not published; those used here stand under each table, and small ones are not the paper's "
      "study.</p>\n";
  for (const PaperTable& t : tables) {
    html += fmt::format("<h2>Table {}: {}</h2>\n<p>{}.</p>\n", t.number, t.set, escape_markup(table_conditions(t))) +
            html_table(t);
    html += "<h3>The order that was measured</h3>\n";
    for (int b = 0; b < 3; ++b)
      if (const std::string order = order_text(t, b); !order.empty())
        html += fmt::format("<p>{}: {}.</p>\n", kPaperBackbones[b], escape_markup(order));
  }
  html +=
      "<p>The noise is that of the test set: its images drawn anew. The noise of training shows with several "
      "seeds.</p>\n";
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
    for (const auto& row : t.cells)
      for (const Cell& c : row)
        for (const RunFiles& r : c)
          html += fmt::format("<details><summary>{}: {} {} seed {}</summary><pre>{}</pre><pre>{}</pre></details>\n",
                              t.set, name(r.config.model.backbone.kind), name(r.config.model.strategy),
                              r.config.train.seed, escape_markup(r.manifest.dump(2)), escape_markup(to_toml(r.config)));
  return html + page_end();
}

}  // namespace cris
