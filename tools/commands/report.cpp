/// cris report: one offline HTML file of one run or several.
#include "cris/report/html_report.h"

#include <fmt/format.h>

#include "cris/report/html_page.h"
#include "cris/run/outputs.h"
#include "tools/commands/command.h"
#include "tools/commands/interrupt.h"

namespace tools {

namespace {

Run setup_report(CLI::App& app) {
  struct Options {
    std::vector<std::string> runs;
    std::string tables, out = "report.html", title = "Polyp segmentation: results";
  };
  auto o = std::make_shared<Options>();
  app.add_option("RUN", o->runs, "finished run directories")->required()->expected(1, -1);
  app.add_option("-o,--out", o->out, "the file to write")->type_name("FILE");
  app.add_option("--title", o->title, "its heading");
  app.add_option("--tables", o->tables, "folder for each table as CSV, JSON and LaTeX, and each figure as SVG")
      ->type_name("DIR");
  add_example(app, "report runs/* -o report.html");
  return [o] {
    outlive_reader();
    require_output(o->out);
    if (!o->tables.empty()) cris::check_place(o->tables), cris::check_parts(o->tables);
    const auto cells = cris::report_cells(o->runs);
    const std::string page = cris::html_report(cells, o->title);
    cris::write_page(o->out, page);
    if (!o->tables.empty()) cris::write_parts(cris::report_tables(cells), page, o->tables);
    fmt::print("{}{}\n", o->out, o->tables.empty() ? "" : "\n" + o->tables);
    return int(kOk);
  };
}

const Command report(60, "report", "one offline HTML file: tables, curves, examples", setup_report);

}  // namespace

}  // namespace tools
