/// The paper's tables 1 and 2 and figures 3, 4 and 5 from finished runs: what it claims beside what was measured.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "cris/report/finished_run.h"
#include "cris/strategy.h"

namespace cris {

/// The runs of one data set, by cell: a backbone and a strategy, any number of seeds.
struct PaperTable {
  std::string set;                                            ///< "Kvasir-SEG" or "CVC-ClinicDB"
  int number;                                                 ///< of the paper's table
  std::array<std::array<std::vector<RunFiles>, 4>, 3> cells;  ///< [BackboneKind][Strategy], by ascending seed
};

/// Table 1 of the runs on Kvasir-SEG, table 2 of those on CVC-ClinicDB, as far as there are runs; cells may lack them.
/// Throws data::FormatError when one is not finished, when two have the same cell and seed, or when two of one table
/// differ in more than backbone, width, strategy, seed and learning rate: they would not compare.
std::vector<PaperTable> paper_tables(const std::vector<std::string>& kvasir, const std::vector<std::string>& cvc);

/// For people: Dice in percent and MSE, claimed beside measured (mean over seeds), and the order that was measured
/// with its noise.
std::string paper_text(const std::vector<PaperTable>& tables);
/// The same as JSON: a list of tables, each with its cells, the pairs of strategies and what the numbers would hide.
std::string paper_json(const std::vector<PaperTable>& tables);
/// A value of the runs' evaluation.json, times `scale`: "45.12", "45.12±1.03" of several seeds, "-" without a run.
std::string measured_text(const std::vector<RunFiles>& runs, const char* key, double scale, int digits);
/// Under which its runs were made: size, epochs, images, split.
std::string table_conditions(const PaperTable& table);
/// Precision-recall charts of the first seed of each cell, one for each backbone.
std::string precision_recall_html(const PaperTable& table, bool pooled);
/// The tables as one offline page, with precision-recall curves and the grid of probability maps.
std::string paper_html(const std::vector<PaperTable>& tables, const std::string& title);

}  // namespace cris
