/// The study's tables and verdicts, from its records alone.
#pragma once
#include <string>

namespace cris {

struct StudyReport {
  std::string text;  ///< tables, each line as long as it must be
  std::string note;  ///< how they were measured, one line
  std::string html;  ///< all of it as a page
};

/// Of each set and variant: Dice and MSE claimed beside measured, mean and deviation over seeds and the interval of
/// hierarchical_bootstrap; cris less each other strategy, paired, and what that says of the paper's claim: a word
/// stands only where the interval excludes 0 and two seeds or more are in common. Then each variant less its plain
/// cell, and the settings that were found. Throws data::FormatError for records that are damaged or do not compare.
StudyReport study_report(const std::string& records, const std::string& title);

}  // namespace cris
