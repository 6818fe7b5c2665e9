/// cris paper: the paper's tables and figures from finished runs, claimed beside measured.
#include "cris/report/paper_tables.h"

#include <fmt/format.h>

#include "cris/report/html_page.h"
#include "tools/commands/command.h"
#include "tools/commands/interrupt.h"

namespace tools {

namespace {

Run setup_paper(CLI::App& app) {
  struct Options {
    std::vector<std::string> kvasir, cvc;
    bool json = false;
    std::string out, title = "CRIS: the paper's tables and figures, claimed beside measured";
  };
  auto o = std::make_shared<Options>();
  app.add_option("--kvasir", o->kvasir, "finished runs on Kvasir-SEG, any cells, any seeds")
      ->type_name("RUN")
      ->expected(1, -1);
  app.add_option("--cvc", o->cvc, "finished runs on CVC-ClinicDB")->type_name("RUN")->expected(1, -1);
  app.add_option("-o,--out", o->out, "an offline page with the figures to write")->type_name("FILE");
  app.add_flag("--json", o->json, "print JSON, not tables");
  app.add_option("--title", o->title, "its heading");
  add_example(app, "paper --kvasir runs/kvasir-* --cvc runs/cvc-* -o paper.html");
  return [o] {
    if (o->kvasir.empty() && o->cvc.empty()) throw Failure(kUsage, "paper: give runs by --kvasir and --cvc");
    outlive_reader();
    if (!o->out.empty()) require_output(o->out);
    const auto tables = cris::paper_tables(o->kvasir, o->cvc);
    if (!o->out.empty()) cris::write_page(o->out, cris::paper_html(tables, o->title));
    if (o->json)
      fmt::print("{}\n", cris::paper_json(tables));
    else
      fmt::print("{}{}", cris::paper_text(tables), o->out.empty() ? "" : "report: " + o->out + "\n");
    return int(kOk);
  };
}

const Command paper(65, "paper", "the paper's tables and figures, claimed beside measured", setup_paper);

}  // namespace

}  // namespace tools
