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

/// For a terminal: columns as wide as they must be.
std::string text_of(const Table& table) {
  std::vector<size_t> widths;
  for (const std::string& c : table.columns) widths.push_back(characters(c));
  for (const auto& row : table.rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], characters(row[i].text));
  std::string text = table.title + "\n";
  const auto add = [&](size_t i, const std::string& cell) {
    const std::string blanks(widths[i] - characters(cell), ' ');
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

/// Whether two runs were tested on the same images.
bool same_images(const RunFiles& a, const RunFiles& b) {
  const auto image = [](const std::vector<std::string>& row) { return row[0]; };
  return std::ranges::equal(a.images, b.images, {}, image, image);
}

std::string points(double dice) { return fmt::format("{:.2f}", 100 * dice); }
std::string interval_text(const Interval& i) { return fmt::format("{} to {}", points(i.low), points(i.high)); }
Estimate estimate(const std::string& label, const Interval& i) {
  return {.label = label, .mean = 100 * i.mean, .low = 100 * i.low, .high = 100 * i.high};
}
std::string mean_text(const Interval& i, size_t seeds) {
  return points(i.mean) + (seeds > 1 ? "±" + points(i.deviation) : "");
}

std::string runs_mean_text(const Runs& runs) {
  return mean_text(hierarchical_bootstrap(dice_of_images(runs)), runs.size());
}

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
  std::erase_if(sets, [](const SetOfCells& s) { return s.backbones().empty(); });
  return sets;
}

using Texts = std::vector<std::string>;

/// A row for each strategy; for each backbone what the paper claims, and what `measured` makes of the runs of the cell.
Table beside_claims(const SetOfCells& s, Table table, const Texts& columns, std::string claimed(const PaperClaim&),
                    Texts measured(const Runs&)) {
  table.columns = {""};
  for (const int b : s.backbones())
    for (const std::string& column : columns) table.columns.push_back(kPaperBackbones[b] + (" " + column));
  for (size_t row = 0; row < std::size(kPaperRows); ++row) {
    std::vector<Table::Cell> cells = {{kPaperRows[row].title}};
    for (const int b : s.backbones()) {
      const PaperClaim* claim = s.claim(row, b);
      cells.push_back({claim ? claimed(*claim) : "-"});
      for (const std::string& text : measured(s.runs(b, kPaperRows[row].strategy))) cells.push_back({text});
    }
    table.rows.push_back(cells);
  }
  return table;
}

Table dice_table(const SetOfCells& s) {
  return beside_claims(
      s, {.name = "dice", .title = fmt::format("{}: Dice, %", s.title)}, {"claimed", "measured", "95 % interval"},
      [](const PaperClaim& c) { return fmt::format("{:.2f}", c.dice); },
      [](const Runs& runs) -> Texts {
        if (runs.empty()) return {"-", "-"};
        const Interval i = hierarchical_bootstrap(dice_of_images(runs));
        return {mean_text(i, runs.size()), interval_text(i)};
      });
}

Table mse_table(const SetOfCells& s) {
  return beside_claims(
      s, {.name = "mse", .title = fmt::format("{}: MSE of the probability maps", s.title)}, {"claimed", "measured"},
      [](const PaperClaim& c) { return fmt::format("{:.3f}", c.mse); },
      [](const Runs& runs) -> Texts { return {measured_text(runs, "mse", 1, 3)}; });
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
      t.rows.push_back({{rows.back().label, certain},
                        {ours ? fmt::format("{:+.2f}", claimed) : "-", certain},
                        {fmt::format("{:+.2f}", 100 * i.mean), certain},
                        {interval_text(i), certain},
                        {certain ? word : "open", certain}});
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
        const Interval i =
            paired ? paired_difference(a, o) : unpaired_difference(dice_of_images(with), dice_of_images(without));
        const bool certain = i.excludes_zero() && (paired ? a.size() : std::min(with.size(), without.size())) > 1;
        rows.push_back(estimate(fmt::format("{}: {} {}", v.title, kPaperBackbones[b], name(row.strategy)), i));
        t.rows.push_back({{rows.back().label},
                          {runs_mean_text(without)},
                          {runs_mean_text(with)},
                          {fmt::format("{:+.2f}", 100 * i.mean)},
                          {interval_text(i)},
                          {!certain     ? "open"
                           : i.mean > 0 ? "above"
                                        : "below"}});
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
    t.rows.push_back({{cell.name},
                      {std::to_string(found.complete)},
                      {std::to_string(found.pruned)},
                      {found.best ? points(*found.best) : "-"},
                      {settings}});
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
