/// A quoted cell may hold commas, quotes and line ends, so lines are found while the cells are read.
#include "cris/run/csv.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "data/format_error.h"
#include "tensor/machine/atomic_file.h"

namespace cris {

namespace {

/// What helps when a file of a run is damaged: an evaluation can be repeated, the record of a training cannot.
std::string remedy(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  const std::string run = path.substr(0, slash), name = path.substr(slash + 1);
  if (name == "evaluation.json" || name == "per_image.csv" || name == "curves.csv" ||
      name.starts_with("precision_recall"))
    return fmt::format("remove {}/SHA256SUMS and repeat the run's cris train: it then evaluates again", run);
  return "restore the file, or train again with another -o";
}

[[noreturn]] void refuse_line(const std::string& path, size_t row) {
  refuse_run_file(path, fmt::format("line {} is damaged", row + 2));
}

Rows parse_csv(const std::string& text, const std::string& path, bool header = false) {
  Rows rows;
  std::vector<std::string> row(1);
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"')
      row.back() += text[i++];
    else if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      row.emplace_back();
    else if (c == '\n' && !quoted)
      rows.push_back(std::exchange(row, {""}));
    else
      row.back() += c;
  }
  if (rows.empty()) refuse_run_file(path, "its heading is missing");
  for (size_t i = 1; i < rows.size(); ++i)
    if (rows[i].size() != rows[0].size()) refuse_line(path, i - 1);
  if (quoted || row != std::vector<std::string>{""})
    refuse_run_file(path, fmt::format("line {} has no end", rows.size() + 1));
  if (!header) rows.erase(rows.begin());
  return rows;
}

}  // namespace

void refuse_run_file(const std::string& path, const std::string& what) {
  throw data::FormatError(fmt::format("{}: {}; {}", path, what, remedy(path)));
}

std::string read_run_file(const std::string& path) {
  try {
    return tensor::read_file(path);
  } catch (const tensor::Error& e) {
    throw data::FormatError(fmt::format("{}; {}", e.what(), remedy(path)));
  }
}

Rows read_csv(const std::string& path, bool header) { return parse_csv(read_run_file(path), path, header); }

std::optional<double> to_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

double number(const Rows& rows, size_t row, size_t column, const std::string& file) {
  if (row >= rows.size() || column >= rows[row].size()) refuse_line(file, row);
  const std::optional<double> value = to_number(rows[row][column]);
  if (!value || !std::isfinite(*value)) refuse_line(file, row);
  return *value;
}

Rows read_epochs(const std::string& path, bool growing) {
  std::string text = read_run_file(path);
  if (growing) text.resize(text.find_last_of('\n') + 1);
  if (growing && text.empty()) return {};
  Rows rows = parse_csv(text, path);
  for (size_t i = 0; i < rows.size(); ++i)
    if (number(rows, i, 0, path) != double(i + 1)) refuse_line(path, i);
  return rows;
}

}  // namespace cris
