/// Runs side by side: cells of several seeds, their means with intervals, and every pair compared image by image.
#pragma once
#include <string>
#include <vector>

#include "cris/report/finished_run.h"
#include "cris/report/table.h"

namespace cris {

/// Runs that differ in their seed alone, by ascending seed.
struct ReportCell {
  std::string label;
  std::vector<RunFiles> runs = {};
  ImagesOfSeeds dice = {};  ///< of the test images, in the order of the split
};

/// The runs at `paths` by cell, in the order of their first runs; labels have backbone and strategy as far as these set
/// cells apart. Throws data::FormatError when a run is not finished or damaged, or when two do not compare (other test
/// images, another size, another size of scores) or are the same cell with the same seed.
std::vector<ReportCell> report_cells(const std::vector<std::string>& paths);

/// Dice of the test images by the runs `a` and `b`, of the seeds that both have, in the order of a's; empty where there
/// are none.
std::pair<ImagesOfSeeds, ImagesOfSeeds> dice_in_common(const std::vector<RunFiles>& a, const std::vector<RunFiles>& b);

/// Fewer test images than this rank nothing.
constexpr int64_t kLeastImages = 20;

struct CellDifference {
  size_t a, b;       ///< cells; the difference of a and b is not negative
  Interval dice;     ///< of a - b, in 0..1, over the seeds that both have; without such, of their means over seeds
  double p, p_holm;  ///< Wilcoxon's signed-rank test of the images' means over the same seeds
  bool ranked;       ///< at least two seeds in common: else the noise of training is not in the interval
  bool certain() const { return ranked && dice.excludes_zero() && p_holm < 0.05; }
};
/// All pairs; where there are several backbones, pairs of the same backbone. Empty below kLeastImages.
std::vector<CellDifference> compare(const std::vector<ReportCell>& cells);

/// Dice with its interval and the main measures, then what an unlearned method reaches.
Table results_table(const std::vector<ReportCell>& cells, const std::vector<CellDifference>& pairs);
/// The other measures of docs/reference/metrics.md.
Table measures_table(const std::vector<ReportCell>& cells);
Table size_table(const std::vector<ReportCell>& cells);
Table differences_table(const std::vector<ReportCell>& cells, const std::vector<CellDifference>& pairs);
/// "A 45.1 > B 44.0; first minus second 1.10 points, 95 % interval 0.3 to 2.5" of cells of one backbone; where nothing
/// is ranked, the values and the reason.
std::string order_text(const std::vector<ReportCell>& cells);
/// What the numbers would hide, a sentence each: few images, one seed, a threshold at the edge of its grid, polyps lost
/// by resizing, cells that are not above an unlearned method.
std::vector<std::string> honesty_notes(const std::vector<ReportCell>& cells);

}  // namespace cris
