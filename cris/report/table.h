/// A table once, for pages, spreadsheets, programs and papers.
#pragma once
#include <string>
#include <vector>

namespace cris {

struct Table {
  std::string name;   ///< of its files: "results"
  std::string title;  ///< what it shows, a phrase
  std::vector<std::string> columns = {};
  struct Cell {
    std::string text = {};
    bool strong = false;  ///< set apart, where statistics allow
  };
  std::vector<std::vector<Cell>> rows = {};  ///< the first cell of each names its row
};

/// A <table> that fits its page: on a narrow one each row becomes a block of "column: value" lines.
std::string to_html(const Table& table);
/// Numbers as shown; a header line first.
std::string to_csv(const Table& table);
/// A list of objects, a row each, by column title; numbers as numbers where a cell holds nothing else.
std::string to_json(const Table& table);
/// A tabular of booktabs, cells that are set apart in bold.
std::string to_latex(const Table& table);
/// Throws data::FormatError unless `folder` is new, empty, or as write_parts left it, by the hashes that it wrote
/// there; hidden files are not looked at.
void check_parts(const std::string& folder);
/// NAME.csv, NAME.json and NAME.tex of each table, figure-N.svg of each figure of the page, and SHA256SUMS of them into
/// `folder`, which check_parts accepts; what was there goes, but for hidden files. Throws data::FormatError.
void write_parts(const std::vector<Table>& tables, const std::string& page, const std::string& folder);

}  // namespace cris
