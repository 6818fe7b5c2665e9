/// Whether paired differences lie to one side of zero by more than chance, and what many such questions cost.
#pragma once
#include <vector>

namespace cris {

struct RankTest {
  double rank_sum = 0;  ///< the smaller of the sums of ranks of positive and of negative differences
  double p = 1;         ///< two-sided
};
/// Wilcoxon's signed-rank test: |d| that are not 0 are ranked, equal ones by their mean rank; the sum is compared with
/// the normal distribution of the same mean and variance, corrected for ties. At most 9 of them: p counts all 2^n signs
/// instead. Source: Wilcoxon, "Individual Comparisons by Ranking Methods", 1945; scipy.stats.wilcoxon.
RankTest wilcoxon(const std::vector<double>& differences);

/// Holm's correction: p values that may be compared with one level together. The smallest of m is taken m times, the
/// next m - 1 times, and so on; none falls below one that came before it, or rises above 1. Source: Holm, "A Simple
/// Sequentially Rejective Multiple Test Procedure", 1979.
std::vector<double> holm(const std::vector<double>& p);

}  // namespace cris
