#include "cris/report/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cris/measures/measures.h"
#include "cris/measures/rank_test.h"
#include "data/format_error.h"

namespace cris {

namespace {

using Json = nlohmann::ordered_json;

/// In what `a` and `b` differ beside seed, place of the data and who computes.
std::vector<std::string> cell_differences(const RunFiles& a, const RunFiles& b) {
  return setting_differences(a, b, {"train.seed:", "data.dir:", "data.split:", "data.cache:", "run."});
}

BackboneKind kind(const ReportCell& cell) { return cell.runs[0].config.model.backbone.kind; }

void require_comparable(const RunFiles& a, const RunFiles& b) {
  const auto refuse = [&](const std::string& why) {
    throw data::FormatError(
        fmt::format("{} and {} do not compare: {}; put them into two reports", a.path, b.path, why));
  };
  if (a.manifest.value("split_sha256", "") != b.manifest.value("split_sha256", "")) refuse("their splits differ");
  for (const std::string& d : differences(a.config, b.config))
    if (d.starts_with("data.size:") || d.starts_with("eval.size:")) refuse(d);
}

/// The mean over seeds of a value of evaluation.json, "measures/mean/dice", or nothing when a run lacks it.
std::optional<double> value(const ReportCell& cell, const std::string& path) {
  const Json::json_pointer at("/" + path);
  double sum = 0;
  for (const RunFiles& r : cell.runs) {
    if (!r.evaluation.contains(at) || !r.evaluation.at(at).is_number()) return {};
    sum += r.evaluation.at(at).get<double>();
  }
  return sum / double(cell.runs.size());
}

std::string percent(std::optional<double> v, int digits = 1) {
  return v ? fmt::format("{:.{}f}", 100 * *v, digits) : "-";
}
std::string fixed(std::optional<double> v, int digits) { return v ? fmt::format("{:.{}f}", *v, digits) : "-"; }

std::string p_text(double p) { return p < 0.0001 ? "< 0.0001" : fmt::format("{:.4f}", p); }

/// Dice of each image, the mean over seeds.
std::vector<double> mean_over_seeds(const ImagesOfSeeds& dice) {
  std::vector<double> mean(dice.at(0).size());
  for (const auto& seed : dice)
    for (size_t i = 0; i < mean.size(); ++i) mean[i] += seed[i] / double(dice.size());
  return mean;
}

double mean_of(const ImagesOfSeeds& dice) { return spread(mean_over_seeds(dice)).mean; }

struct Baseline {
  const char *key, *title;
};
constexpr Baseline kBaselines[] = {{"mean_mask", "mean mask of the training set"},
                                   {"every_pixel", "every pixel is polyp"},
                                   {"nothing", "nothing is polyp"}};

/// Dice of the images by an unlearned method; empty when the run does not say.
std::vector<double> baseline_dice(const RunFiles& run, const char* key) {
  try {
    return run.evaluation.at("baselines").at(key).at("dice_of_images").get<std::vector<double>>();
  } catch (const nlohmann::json::exception&) {
    return {};
  }
}

/// The best unlearned method that this cell is not above by more than its interval; null when it is above all.
const Baseline* not_above(const ReportCell& cell) {
  for (const Baseline& b : kBaselines) {
    const std::vector<double> floor = baseline_dice(cell.runs[0], b.key);
    if (floor.size() != cell.dice[0].size()) continue;
    if (paired_difference(cell.dice, ImagesOfSeeds(cell.dice.size(), floor)).low <= 0) return &b;
  }
  return nullptr;
}

}  // namespace

std::vector<ReportCell> report_cells(const std::vector<std::string>& paths) {
  std::vector<ReportCell> cells;
  bool backbones = paths.size() == 1;
  for (const std::string& path : paths) {
    RunFiles run = read_run(path);
    if (!cells.empty()) require_comparable(cells[0].runs[0], run);
    backbones |= !cells.empty() && kind(cells[0]) != run.config.model.backbone.kind;
    auto cell =
        std::ranges::find_if(cells, [&](const ReportCell& c) { return cell_differences(c.runs[0], run).empty(); });
    if (cell == cells.end()) cell = cells.insert(cells.end(), {.label = name(run.config.model.strategy)});
    for (const RunFiles& other : cell->runs)
      data::require_data(other.config.train.seed != run.config.train.seed,
                         "{} and {} are the same cell with the same seed; name one of them", other.path, run.path);
    cell->runs.push_back(std::move(run));
  }
  for (ReportCell& c : cells) {
    if (backbones) c.label = name(kind(c)) + (" " + c.label);
    std::ranges::sort(c.runs, {}, [](const RunFiles& r) { return r.config.train.seed; });
    c.dice = dice_of_images(c.runs);
  }
  // Cells of the same label say in what they differ.
  for (size_t i = 1; i < cells.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (cells[i].label == cells[j].label) {
        for (const std::string& d : cell_differences(cells[i].runs[0], cells[j].runs[0])) cells[i].label += ", " + d;
        break;
      }
  for (ReportCell& c : cells)
    for (RunFiles& r : c.runs)
      r.label = c.runs.size() > 1 ? fmt::format("{} seed {}", c.label, r.config.train.seed) : c.label;
  return cells;
}

std::pair<ImagesOfSeeds, ImagesOfSeeds> dice_in_common(const std::vector<RunFiles>& a, const std::vector<RunFiles>& b) {
  std::pair<ImagesOfSeeds, ImagesOfSeeds> values;
  for (const RunFiles& r : a)
    for (const RunFiles& o : b)
      if (r.config.train.seed == o.config.train.seed)
        values.first.push_back(dice_of_images(r)), values.second.push_back(dice_of_images(o));
  return values;
}

std::vector<CellDifference> compare(const std::vector<ReportCell>& cells) {
  std::vector<CellDifference> pairs;
  if (int64_t(cells.at(0).dice[0].size()) < kLeastImages) return pairs;
  std::vector<double> p;
  for (size_t i = 0; i < cells.size(); ++i)
    for (size_t j = i + 1; j < cells.size(); ++j) {
      if (kind(cells[i]) != kind(cells[j])) continue;
      auto [ours, theirs] = dice_in_common(cells[i].runs, cells[j].runs);
      const bool ranked = ours.size() > 1;
      if (ours.empty()) ours = {mean_over_seeds(cells[i].dice)}, theirs = {mean_over_seeds(cells[j].dice)};
      const bool swap = mean_of(ours) < mean_of(theirs);
      if (swap) std::swap(ours, theirs);
      std::vector<double> gain = mean_over_seeds(ours);
      const std::vector<double> other = mean_over_seeds(theirs);
      for (size_t k = 0; k < gain.size(); ++k) gain[k] -= other[k];
      pairs.push_back({swap ? j : i, swap ? i : j, paired_difference(ours, theirs), wilcoxon(gain).p, 1, ranked});
      p.push_back(pairs.back().p);
    }
  const std::vector<double> corrected = holm(p);
  for (size_t i = 0; i < pairs.size(); ++i) pairs[i].p_holm = corrected[i];
  return pairs;
}

Table results_table(const std::vector<ReportCell>& cells, const std::vector<CellDifference>& pairs) {
  Table table{.name = "results",
              .title = "Test set: means over images, and over seeds",
              .columns = {"", "Dice, %", "95 % interval", "IoU, %", "precision, %", "recall, %", "MSE", "threshold"}};
  const auto best = [&](size_t i) {
    bool compared = false;
    for (const CellDifference& d : pairs) {
      if (d.b == i) return false;
      if (d.a == i && !d.certain()) return false;
      compared |= d.a == i;
    }
    return compared;
  };
  for (size_t i = 0; i < cells.size(); ++i) {
    const ReportCell& c = cells[i];
    const Interval dice = hierarchical_bootstrap(c.dice);
    const bool seeds = c.runs.size() > 1;
    const auto chosen = [&](const char* key) { return value(c, std::string("chosen_on_training_set/") + key); };
    table.rows.push_back({{c.label + (not_above(c) ? " †" : "")},
                          {seeds ? fmt::format("{:.1f} ± {:.1f}", 100 * dice.mean, 100 * dice.deviation)
                                 : fmt::format("{:.1f}", 100 * dice.mean),
                           best(i)},
                          {fmt::format("{:.1f} to {:.1f}", 100 * dice.low, 100 * dice.high)},
                          {percent(value(c, "measures/mean/iou"))},
                          {percent(chosen("precision"))},
                          {percent(chosen("recall"))},
                          {fixed(chosen("mse"), 3)},
                          {fixed(chosen("threshold"), 2)}});
  }
  for (const Baseline& b : kBaselines)
    if (const auto dice = value(cells[0], fmt::format("baselines/{}/dice", b.key)))
      table.rows.push_back({{std::string("unlearned: ") + b.title}, {percent(dice)}, {}, {}, {}, {}, {}, {}});
  return table;
}

Table measures_table(const std::vector<ReportCell>& cells) {
  Table table{.name = "measures",
              .title = "More measures at the chosen threshold",
              .columns = {"", "median Dice, %", "F2, %", "specificity, %", "HD95, px", "ASSD, px", "boundary F, %",
                          "S, %", "E, %", "weighted F, %", "AP, %", "pooled Dice, %", "pooled AP, %",
                          "calibration error, %", "polyps found, %", "false alarms an image"}};
  for (const ReportCell& c : cells) {
    const auto mean = [&](const char* key) { return value(c, std::string("measures/mean/") + key); };
    const auto pooled = [&](const char* key) { return value(c, std::string("measures/pooled/") + key); };
    table.rows.push_back({{c.label},
                          {percent(median(mean_over_seeds(c.dice)))},
                          {percent(mean("f2"))},
                          {percent(mean("specificity"))},
                          {fixed(mean("hd95"), 1)},
                          {fixed(mean("assd"), 1)},
                          {percent(mean("boundary_f"))},
                          {percent(mean("s_measure"))},
                          {percent(mean("e_measure"))},
                          {percent(mean("weighted_f"))},
                          {percent(mean("average_precision"))},
                          {percent(pooled("dice"))},
                          {percent(pooled("average_precision"))},
                          {percent(pooled("expected_calibration_error"))},
                          {percent(value(c, "measures/lesions/sensitivity"))},
                          {fixed(value(c, "measures/lesions/false_positives_per_image"), 2)}});
  }
  return table;
}

Table size_table(const std::vector<ReportCell>& cells) {
  Table table{.name = "sizes", .title = "Dice by the share of the picture that the polyp covers, %", .columns = {""}};
  for (const SizeClass& s : kSizeClasses) {
    const auto images = value(cells[0], fmt::format("measures/by_size/{}/images", s.name));
    table.columns.push_back(fmt::format(
        "{}{}, {} images", s.name,
        s.below > 1 ? fmt::format(", from {:.0f} %", 100 * s.least) : fmt::format(", below {:.0f} %", 100 * s.below),
        images ? fmt::format("{:.0f}", *images) : "-"));
  }
  for (const ReportCell& c : cells) {
    table.rows.push_back({{c.label}});
    for (const SizeClass& s : kSizeClasses)
      table.rows.back().push_back({percent(value(c, fmt::format("measures/by_size/{}/mean/dice", s.name)))});
  }
  return table;
}

Table differences_table(const std::vector<ReportCell>& cells, const std::vector<CellDifference>& pairs) {
  Table table{.name = "differences",
              .title = "Differences of Dice, image by image",
              .columns = {"", "difference, points", "95 % interval", "Wilcoxon p", "p, Holm", "verdict"}};
  for (const CellDifference& d : pairs)
    table.rows.push_back({{cells[d.a].label + " − " + cells[d.b].label},
                          {fmt::format("{:.2f}", 100 * d.dice.mean)},
                          {fmt::format("{:.2f} to {:.2f}", 100 * d.dice.low, 100 * d.dice.high)},
                          {p_text(d.p)},
                          {p_text(d.p_holm)},
                          {d.certain() ? "higher"
                           : d.ranked  ? "not told apart"
                                       : "not ranked: no two seeds in common"}});
  return table;
}

std::string order_text(const std::vector<ReportCell>& cells) {
  if (cells.size() < 2) return "";
  std::vector<std::pair<double, size_t>> order;
  for (size_t i = 0; i < cells.size(); ++i) order.emplace_back(-mean_of(cells[i].dice), i);
  const std::vector<CellDifference> pairs = compare(cells);
  const bool ranked = !pairs.empty() && std::ranges::all_of(pairs, &CellDifference::ranked);
  if (ranked) std::ranges::stable_sort(order);
  std::string text;
  for (const auto& [mean, i] : order)
    text += fmt::format("{}{} {:.2f}", text.empty() ? "" : ranked ? " > " : ", ", cells[i].label, -100 * mean);
  if (!ranked) return text + (pairs.empty() ? "; too few test images to rank" : "; not ranked: no two seeds in common");
  const auto first = std::ranges::find_if(pairs, [&](const CellDifference& d) {
    return std::minmax(d.a, d.b) == std::minmax(order[0].second, order[1].second);
  });
  // Over the seeds that both have the second may be the first.
  const double sign = first->a == order[0].second ? 100 : -100;
  const auto [low, high] = std::minmax({sign * first->dice.low, sign * first->dice.high});
  return text + fmt::format("; first minus second {:.2f} points, 95 % interval {:.2f} to {:.2f}{}",
                            sign * first->dice.mean, low, high, first->certain() ? "" : ": within noise");
}

std::vector<std::string> honesty_notes(const std::vector<ReportCell>& cells) {
  std::vector<std::string> notes;
  if (const size_t images = cells[0].dice[0].size(); int64_t(images) < kLeastImages)
    notes.push_back(
        fmt::format("{} test images are fewer than {}: no method is ranked above another.", images, kLeastImages));
  if (std::any_of(cells.begin(), cells.end(), [](const ReportCell& c) { return c.runs.size() == 1; }))
    notes.push_back(
        "Cells of one seed: their intervals hold the noise of the test images alone. Another seed of the same method "
        "may differ by more.");
  std::set<std::string> said;
  for (const ReportCell& c : cells) {
    if (const Baseline* b = not_above(c))
      notes.push_back(
          fmt::format("† {} is not above an unlearned method ({}) by more than its interval.", c.label, b->title));
    for (const RunFiles& r : c.runs) {
      const double t = r.evaluation.at("chosen_on_training_set").value("threshold", 0.5);
      if (t <= 0.01 || t >= 0.99)
        said.insert(fmt::format("The threshold of {}, {:.2f}, lies at the edge of its grid.", c.label, t));
      const auto& measures = r.evaluation.value("measures", Json::object());
      if (measures.value("images_without_polyp", int64_t(0)) > 0)
        said.insert(fmt::format("{} of the test masks hold no polyp: an empty prediction scores 1 there.",
                                measures.value("images_without_polyp", int64_t(0))));
      if (const auto specks = r.evaluation.value("polyps_below_a_pixel", int64_t(0)); specks > 0)
        said.insert(
            fmt::format("{} of the test polyps are smaller than a pixel at this size: each counts as one pixel, "
                        "and an empty prediction misses it.",
                        specks));
    }
  }
  notes.insert(notes.end(), said.begin(), said.end());
  return notes;
}

}  // namespace cris
