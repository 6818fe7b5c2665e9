/// Tables made once and shown as text and as a page.
#include "cris/study/study_report.h"

#include <algorithm>
#include <filesystem>

#include "cris/report/comparison.h"
#include "cris/report/html_page.h"
#include "cris/report/interval_chart.h"
#include "cris/report/paper_claims.h"
#include "cris/report/paper_tables.h"
#include "cris/report/statistics.h"
#include "cris/report/table.h"
#include "cris/study/journal.h"
#include "cris/study/plan.h"
#include "cris/study/records.h"
#include "cris/study/search.h"
#include "cris/study/status.h"
#include "data/format_error.h"

namespace cris {

namespace {

void add_row(Table& table, const std::vector<std::string>& texts, bool strong = false) {
  std::vector<Table::Cell> row;
  for (const std::string& text : texts) row.push_back({text, strong});
  table.rows.push_back(row);
}

/// For a terminal: columns as wide as they must be.
std::string text_of(const Table& table) {
  const auto width_of = [](const std::string& text) {
    return size_t(std::ranges::count_if(text, [](char c) { return (uint8_t(c) & 0xC0) != 0x80; }));
  };
  std::vector<size_t> widths;
  for (const std::string& c : table.columns) widths.push_back(width_of(c));
  for (const auto& row : table.rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i].text));
  std::string text = table.title + "\n";
  const auto add = [&](size_t i, const std::string& cell) {
    const std::string blanks(widths[i] - width_of(cell), ' ');
    text += i ? "  " + blanks + cell : cell + blanks;
  };
  for (size_t i = 0; i < widths.size(); ++i) add(i, table.columns[i]);
  for (const auto& row : table.rows) {
    text += "\n";
    for (size_t i = 0; i < row.size(); ++i) add(i, row[i].text);
  }
  return text + "\n\n";
}

using Runs = std::vector<RunFiles>;

/// The runs of one set and variant, by cell.
struct SetOfCells {
  std::string set, variant, title;
  PaperTable table;
  const Runs& runs(int backbone, Strategy strategy) const { return table.cells[size_t(backbone)][size_t(strategy)]; }
  /// Those that have runs.
  std::vector<int> backbones() const {
    std::vector<int> some;
    for (int b = 0; b < 3; ++b)
      if (std::ranges::any_of(table.cells[size_t(b)], [](const Runs& r) { return !r.empty(); })) some.push_back(b);
    return some;
  }
  const PaperClaim* claim(size_t row, int backbone) const {
    return table.number > 0 && variant.empty() ? &kPaperClaims[table.number - 1][row][backbone] : nullptr;
  }
};

ImagesOfSeeds dice_of(const Runs& runs) {
  ImagesOfSeeds values;
  for (const RunFiles& r : runs) values.push_back(dice_of_images(r));
  return values;
}

/// Throws where two runs were not tested on the same images.
bool same_images(const RunFiles& a, const RunFiles& b) {
  return std::ranges::equal(
      a.images, b.images, {}, [](const auto& row) { return row[0]; }, [](const auto& row) { return row[0]; });
}

std::string points(double dice) { return fmt::format("{:.2f}", 100 * dice); }
std::string interval_text(const Interval& i) { return fmt::format("{} to {}", points(i.low), points(i.high)); }
Estimate estimate(const std::string& label, const Interval& i) {
  return {.label = label, .mean = 100 * i.mean, .low = 100 * i.low, .high = 100 * i.high};
}
std::string mean_text(const Interval& i, size_t seeds) {
  return points(i.mean) + (seeds > 1 ? "±" + points(i.deviation) : "");
}

std::string runs_mean_text(const Runs& runs) { return mean_text(hierarchical_bootstrap(dice_of(runs)), runs.size()); }

std::vector<SetOfCells> read_sets(const Plan& plan, const std::string& records) {
  std::vector<SetOfCells> sets;
  for (const Cell& cell : plan.cells) {
    auto at =
        std::ranges::find_if(sets, [&](const SetOfCells& s) { return s.set == cell.set && s.variant == cell.variant; });
    if (at == sets.end()) {
      const int number = cell.set == "kvasir-seg" ? 1 : cell.set == "cvc-clinicdb" ? 2 : 0;
      std::string title = number == 1 ? "Kvasir-SEG" : number == 2 ? "CVC-ClinicDB" : cell.set;
      sets.push_back({.set = cell.set, .variant = cell.variant, .title = title, .table = {title, number, {}}});
      at = sets.end() - 1;
      if (!cell.variant.empty()) at->title += ", variant " + cell.variant;
    }
    Runs& runs = at->table.cells[size_t(cell.config.model.backbone.kind)][size_t(cell.config.model.strategy)];
    for (const int64_t seed : plan.seeds) {
      const std::string run = records + "/" + run_folder(cell, seed);
      if (!std::filesystem::exists(run)) continue;
      runs.push_back(read_run(run));
      data::require_data(same_images(runs[0], runs.back()), "{} and {} were tested on other images", runs[0].path, run);
    }
  }
  std::erase_if(sets, [](const SetOfCells& s) {
    return std::ranges::all_of(s.table.cells, [](const auto& row) {
      return std::ranges::all_of(row, [](const Runs& runs) { return runs.empty(); });
    });
  });
  return sets;
}

Table dice_table(const SetOfCells& s) {
  Table t{.name = "dice", .title = fmt::format("{}: Dice, %", s.title), .columns = {""}};
  for (const int b : s.backbones())
    for (const char* column : {" claimed", " measured", " 95 % interval"})
      t.columns.push_back(kPaperBackbones[b] + std::string(column));
  for (size_t row = 0; row < std::size(kPaperRows); ++row) {
    std::vector<std::string> line = {kPaperRows[row].title};
    for (const int b : s.backbones()) {
      const Runs& runs = s.runs(b, kPaperRows[row].strategy);
      const PaperClaim* claim = s.claim(row, b);
      line.push_back(claim ? fmt::format("{:.2f}", claim->dice) : "-");
      if (runs.empty()) {
        line.insert(line.end(), {"-", "-"});
        continue;
      }
      const Interval i = hierarchical_bootstrap(dice_of(runs));
      line.insert(line.end(), {mean_text(i, runs.size()), interval_text(i)});
    }
    add_row(t, line);
  }
  return t;
}

Table mse_table(const SetOfCells& s) {
  Table t{.name = "mse", .title = fmt::format("{}: MSE of the probability maps", s.title), .columns = {""}};
  for (const int b : s.backbones())
    for (const char* column : {" claimed", " measured"}) t.columns.push_back(kPaperBackbones[b] + std::string(column));
  for (size_t row = 0; row < std::size(kPaperRows); ++row) {
    std::vector<std::string> line = {kPaperRows[row].title};
    for (const int b : s.backbones()) {
      const PaperClaim* claim = s.claim(row, b);
      std::vector<double> values;
      for (const RunFiles& r : s.runs(b, kPaperRows[row].strategy))
        values.push_back(r.evaluation.at("chosen_on_training_set").value("mse", 0.0));
      const Spread spread_of_seeds = spread(values);
      line.push_back(claim ? fmt::format("{:.3f}", claim->mse) : "-");
      line.push_back(values.empty() ? "-"
                     : values.size() == 1
                         ? fmt::format("{:.3f}", values[0])
                         : fmt::format("{:.3f}±{:.3f}", spread_of_seeds.mean, spread_of_seeds.deviation));
    }
    add_row(t, line);
  }
  return t;
}

/// A table and what it shows as a chart.
struct Estimates {
  Table table;
  std::vector<Estimate> rows = {};
};

/// cris less every other strategy, and whether the paper's order holds.
Estimates verdicts(const SetOfCells& s) {
  Table t{.name = "verdicts",
          .title = fmt::format("{}: cris less the others, Dice in points", s.title),
          .columns = {"", "claimed", "measured", "95 % interval", "the paper's order"}};
  std::vector<Estimate> rows;
  for (int b = 0; b < 3; ++b)
    for (size_t row = 0; row + 1 < std::size(kPaperRows); ++row) {
      const Runs &cris = s.runs(b, Strategy::cris), &other = s.runs(b, kPaperRows[row].strategy);
      const auto [ours_by_seed, theirs_by_seed] = dice_in_common(cris, other);
      if (ours_by_seed.empty()) continue;
      data::require_data(same_images(cris[0], other[0]), "{} and {} were tested on other images", cris[0].path,
                         other[0].path);
      const Interval i = paired_difference(ours_by_seed, theirs_by_seed);
      const PaperClaim *ours = s.claim(3, b), *theirs = s.claim(row, b);
      const double claimed = ours ? ours->dice - theirs->dice : 0;
      // One seed does not tell the noise of training.
      const bool certain = i.excludes_zero() && ours_by_seed.size() > 1;
      const char* word = i.mean > 0 ? "above" : "below";
      if (ours) word = (i.mean > 0) == (claimed > 0) ? "holds" : "does not hold";
      rows.push_back(estimate(fmt::format("{}: cris - {}", kPaperBackbones[b], name(kPaperRows[row].strategy)), i));
      if (ours) rows.back().claimed = claimed;
      add_row(t,
              {rows.back().label, ours ? fmt::format("{:+.2f}", claimed) : "-", fmt::format("{:+.2f}", 100 * i.mean),
               interval_text(i), certain ? word : "open"},
              certain);
    }
  return {t, rows};
}

/// Each variant less its plain cell.
Estimates variants(const std::vector<SetOfCells>& sets) {
  Table t{.name = "variants",
          .title = "Variants less their plain cells, Dice in points",
          .columns = {"", "plain", "variant", "difference", "95 % interval", "variant is"}};
  std::vector<Estimate> rows;
  for (const SetOfCells& v : sets) {
    const auto plain =
        std::ranges::find_if(sets, [&](const SetOfCells& s) { return s.set == v.set && s.variant.empty(); });
    if (v.variant.empty() || plain == sets.end()) continue;
    for (int b = 0; b < 3; ++b)
      for (const auto& row : kPaperRows) {
        const Runs &with = v.runs(b, row.strategy), &without = plain->runs(b, row.strategy);
        if (with.empty() || without.empty()) continue;
        const auto [a, o] = dice_in_common(with, without);
        const bool paired = same_images(with[0], without[0]);
        if (paired && a.empty()) continue;
        const Interval i = paired ? paired_difference(a, o) : unpaired_difference(dice_of(with), dice_of(without));
        const bool certain = i.excludes_zero() && (paired ? a.size() : std::min(with.size(), without.size())) > 1;
        rows.push_back(estimate(fmt::format("{}: {} {}", v.title, kPaperBackbones[b], name(row.strategy)), i));
        add_row(t, {rows.back().label, runs_mean_text(without), runs_mean_text(with),
                    fmt::format("{:+.2f}", 100 * i.mean), interval_text(i),
                    !certain     ? "open"
                    : i.mean > 0 ? "above"
                                 : "below"});
      }
  }
  return {t, rows};
}

/// What tuning found, by cell.
Table tuning_table(const Plan& plan, const std::string& records) {
  Table t{.name = "tuning",
          .title = "What tuning found",
          .columns = {"cell", "complete", "pruned", "best Dice", "settings"}};
  const JournalContent journal = read_journal(records + "/" + kJournal);
  for (const Cell& cell : plan.cells) {
    if (!cell.tuned) continue;
    const TuningState found = state_of(tuning_of(plan, cell), journal.state);
    if (found.ended() == 0) continue;
    std::string settings;
    for (const auto& [key, value] : found.best_settings)
      settings += fmt::format("{}{} {}", settings.empty() ? "" : ", ", key, short_value(value));
    add_row(t, {cell.name, fmt::format("{}", found.complete), fmt::format("{}", found.pruned),
                found.best ? points(*found.best) : "-", settings});
  }
  return t;
}

const char* const kHow =
    "Measured: the mean over test images at the threshold that maximises Dice on the training set, then the mean ± "
    "deviation over seeds. Intervals: 10,000 resamples of seeds and test images; differences are paired by seed and "
    "image, but where a variant is tested on other images. A verdict is given only where the interval excludes 0 and "
    "two seeds or more are in common. With few seeds, intervals are somewhat too narrow.";

}  // namespace

StudyReport study_report(const std::string& records, const std::string& title) {
  require_records(records);
  const Plan plan = read_plan(records + "/plan.toml");
  const std::vector<SetOfCells> sets = read_sets(plan, records);
  data::require_data(!sets.empty(), "{}: no final run is recorded yet", records);
  StudyReport report{
      .text = title + "\n\n", .note = kHow, .html = page_begin(title) + fmt::format("<p>{}</p>\n", kHow)};
  const auto add = [&](const Table& t) {
    if (t.rows.empty()) return;
    report.text += text_of(t);
    report.html += fmt::format("<h3>{}</h3>\n", escape_markup(t.title)) + to_html(t);
  };
  const auto chart = [&](const std::string& of, const Estimates& e) {
    if (!e.rows.empty())
      report.html += "<div class=\"charts\">" + interval_chart(of, "points of Dice", e.rows) + "</div>\n";
  };
  const auto add_set = [&](const SetOfCells& s) {
    const std::string under = table_conditions(s.table);
    report.text += fmt::format("{}: {}\n", s.title, under);
    report.html += fmt::format("<p>{}; {} seeds.</p>\n", escape_markup(under), plan.seeds.size());
    add(dice_table(s));
    const Estimates differences = verdicts(s);
    add(differences.table);
    chart(fmt::format("{}: cris less the others", s.title), differences);
    add(mse_table(s));
    report.html += fmt::format("<details><summary>Precision and recall</summary>\n{}</details>\n",
                               precision_recall_html(s.table, true));
  };
  for (const SetOfCells& s : sets)
    if (s.variant.empty()) report.html += fmt::format("<h2>{}</h2>\n", escape_markup(s.title)), add_set(s);
  if (const Estimates of_variants = variants(sets); !of_variants.rows.empty()) {
    report.html += "<h2>Variants</h2>\n<p>The plan below says what each of them changes.</p>\n";
    add(of_variants.table);
    chart("Variants less their plain cells", of_variants);
  }
  for (const SetOfCells& s : sets) {
    if (s.variant.empty()) continue;
    report.html += fmt::format("<details><summary>{}</summary>\n", escape_markup(s.title));
    add_set(s);
    report.html += "</details>\n";
  }
  if (plan.trials > 0) {
    report.html += "<h2>Tuning</h2>\n";
    add(tuning_table(plan, records));
  }
  report.html += fmt::format("<h2>The plan</h2>\n<pre>{}</pre>\n", escape_markup(plan.text)) + page_end();
  return report;
}

}  // namespace cris
