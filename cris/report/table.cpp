#include "cris/report/table.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "cris/report/svg_chart.h"
#include "cris/run/csv.h"
#include "data/format_error.h"
#include "data/hash.h"
#include "tensor/machine/atomic_file.h"

namespace cris {

namespace {
constexpr const char* kSums = "SHA256SUMS";
/// Hidden files are somebody else's (.git, .gitkeep): they are not looked at, and stay.
bool is_hidden(const std::string& name) { return name.starts_with("."); }
}  // namespace

std::string to_html(const Table& table) {
  std::string html = "<div class=\"card\"><table class=\"rows\"><thead><tr>";
  for (const std::string& c : table.columns) html += fmt::format("<th>{}</th>", escape_markup(c));
  html += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (size_t i = 0; i < row.size(); ++i)
      html += fmt::format("<td data-label=\"{}\"{}>{}</td>", escape_markup(table.columns[i]),
                          row[i].strong ? " class=\"best\"" : "", escape_markup(row[i].text));
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string to_csv(const Table& table) {
  std::string csv;
  const auto line = [&](const auto& cells, const auto& text) {
    for (size_t i = 0; i < cells.size(); ++i) csv += (i ? "," : "") + data::csv_field(text(cells[i]));
    csv += "\n";
  };
  line(table.columns, [](const std::string& c) { return c; });
  for (const auto& row : table.rows) line(row, [](const Table::Cell& c) { return c.text; });
  return csv;
}

std::string to_json(const Table& table) {
  auto rows = nlohmann::ordered_json::array();
  for (const auto& row : table.rows) {
    nlohmann::ordered_json object;
    for (size_t i = 0; i < row.size(); ++i) {
      object[table.columns[i]] = row[i].text;
      if (const auto number = to_number(row[i].text)) object[table.columns[i]] = *number;
    }
    rows.push_back(object);
  }
  return rows.dump(1) + "\n";
}

std::string to_latex(const Table& table) {
  const auto escaped = [](const std::string& text) {
    std::string safe;
    for (const char c : text) {
      if (std::string_view("&%$#_{}").find(c) != std::string_view::npos) safe += '\\';
      safe += c == '~' ? std::string("\\textasciitilde{}") : c == '^' ? "\\textasciicircum{}" : std::string(1, c);
    }
    for (const auto& [from, to] : {std::pair<std::string, std::string>{"±", "$\\pm$"}, {"–", "--"}, {"−", "$-$"}})
      for (size_t at = safe.find(from); at != std::string::npos; at = safe.find(from, at + to.size()))
        safe.replace(at, from.size(), to);
    return safe;
  };
  std::string tex = fmt::format("% {}\n\\begin{{tabular}}{{l{}}}\n\\toprule\n", table.title,
                                std::string(table.columns.size() - 1, 'r'));
  for (size_t i = 0; i < table.columns.size(); ++i) tex += (i ? " & " : "") + escaped(table.columns[i]);
  tex += " \\\\\n\\midrule\n";
  for (const auto& row : table.rows) {
    for (size_t i = 0; i < row.size(); ++i)
      tex += (i ? " & " : "") + (row[i].strong ? "\\textbf{" + escaped(row[i].text) + "}" : escaped(row[i].text));
    tex += " \\\\\n";
  }
  return tex + "\\bottomrule\n\\end{tabular}\n";
}

void check_parts(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code unknown;
  if (!fs::exists(folder, unknown) || fs::is_empty(folder, unknown)) return;
  std::set<std::string> ours;  // lines as they should be
  if (std::ifstream sums(folder + "/" + kSums); sums)
    for (std::string line; std::getline(sums, line);) ours.insert(line);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder);
    data::require_data(name == kSums || is_hidden(name) ||
                           (entry.is_regular_file() &&
                            ours.contains(fmt::format("{}  {}", data::sha256(tensor::read_file(entry.path())), name))),
                       "{}/{} is not as a report wrote it; name a new folder", folder, name);
  }
}

void write_parts(const std::vector<Table>& tables, const std::string& page, const std::string& folder) {
  check_parts(folder);
  data::StagingFolder staging(folder);
  std::string sums;
  const auto write = [&](const std::string& name, const std::string& text) {
    tensor::write_file_atomically(staging.path() + "/" + name, text);
    sums += fmt::format("{}  {}\n", data::sha256(text), name);
  };
  for (const Table& t : tables)
    write(t.name + ".csv", to_csv(t)), write(t.name + ".json", to_json(t)), write(t.name + ".tex", to_latex(t));
  int figure = 0;
  for (size_t at = page.find("<svg "); at != std::string::npos; at = page.find("<svg ", at + 1))
    write(fmt::format("figure-{:02}.svg", ++figure), page.substr(at, page.find("</svg>", at) + 6 - at) + "\n");
  tensor::write_file_atomically(staging.path() + "/" + kSums, sums);
  staging.publish([](const std::string& name) { return !is_hidden(name); });
}

}  // namespace cris
