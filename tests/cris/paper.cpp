/// The paper's tables: cells from run directories, claimed beside measured, what does not compare.
#include "cris/report/paper_tables.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "data/format_error.h"
#include "tests/cris/finished_run.h"
#include "tests/message.h"

using cris::Config;
using doctest::Contains;

namespace {

std::string line_of(const std::string& text, const std::string& start) {
  const size_t at = text.find("\n" + start) + 1;
  return text.substr(at, text.find('\n', at) - at);
}

}  // namespace

TEST_CASE("paper: measured cells stand beside the claims of their table, absent ones are dashes") {
  const Scratch s;
  const auto tables = cris::paper_tables(
      {finished_run(s, "a", cell("unet", "fcn"), 0.4321, 0.125), finished_run(s, "b", cell("segnet", "cris"), 0.5)},
      {finished_run(s, "c", cell("unet++", "crf"), 0.25)});
  const std::string text = cris::paper_text(tables), second = text.substr(text.find("Table 2: CVC-ClinicDB"));
  CHECK(text.starts_with("Table 1: Kvasir-SEG (64x64 pixels, 12 epochs, 70 training"));
  CHECK(line_of(text, "Backbone+FCN") ==
        "Backbone+FCN         85.46    43.21   0.034    0.125     84.35        -   0.034        -     73.88        -   "
        "0.052        -");
  CHECK(line_of(text, "Proposed").ends_with("86.88    50.00   0.041    0.250"));
  CHECK(contains(line_of(second, "Backbone+CRF"), "92.81    25.00   0.010    0.250"));
  CHECK(!contains(second, "43.21"));
}

TEST_CASE("paper: several seeds give mean and deviation, the order says when it is within noise") {
  const Scratch s;
  const std::string text = cris::paper_text(cris::paper_tables(
      {finished_run(s, "a", cell("unet", "cris", 2), 0.6), finished_run(s, "b", cell("unet", "cris", 1), 0.5),
       finished_run(s, "c", cell("unet", "fcn", 2), 0.2), finished_run(s, "c1", cell("unet", "fcn", 1), 0.2),
       finished_run(s, "d", cell("segnet", "fcn"), 0.2), finished_run(s, "e", cell("segnet", "crf"), 0.2)},
      {}));
  CHECK(contains(line_of(text, "Proposed"), "55.00±7.07"));
  CHECK(line_of(text, "UNet ").starts_with("UNet    Proposed (CRIS) 52.25 > Backbone+FCN 19.00; first minus second "));
  CHECK(!contains(line_of(text, "UNet "), "noise"));
  CHECK(line_of(text, "SegNet ").ends_with("; not ranked: no two seeds in common"));
}

TEST_CASE("paper: the page is one file with a chart for each backbone that has runs") {
  const Scratch s;
  const std::string html =
      cris::paper_html(cris::paper_tables({finished_run(s, "a", cell("unet", "fcn"), 0.4)}, {}), "T");
  for (const char* part :
       {"Figure 3: precision and recall, Kvasir-SEG", "UNet, Kvasir-SEG (pooled pixels)", "Figure 5", "40.00"})
    CHECK_MESSAGE(contains(html, part), part);
  // Nothing of what no run was made for.
  for (const char* part : {"CVC-ClinicDB (", "Figure 4", "UNet++, Kvasir-SEG"})
    CHECK_MESSAGE(!contains(html, part), part);
  CHECK(!contains(html, "src=\"http"));
}

TEST_CASE("paper: runs that do not compare, and no runs, are errors that name them") {
  const Scratch s;
  const std::string a = finished_run(s, "a", cell("unet", "fcn"), 0.4);
  Config larger = cell("unet", "crf"), wider = cell("unet", "cris"), slower = cell("unet", "backbone");
  larger.data.size = 128, wider.model.backbone.base = 8, slower.schedule.learning_rate = 1e-4;
  const std::string b = finished_run(s, "b", larger, 0.4), same = finished_run(s, "same", cell("unet", "fcn"), 0.3);
  using data::FormatError;
  CHECK_THROWS_WITH_AS(cris::paper_tables({a, b}, {}), Contains("do not compare: data.size"), FormatError);
  CHECK_NOTHROW(cris::paper_tables({a}, {b}));  // of two tables
  CHECK_NOTHROW(cris::paper_tables({a, finished_run(s, "w", wider, 0.4), finished_run(s, "l", slower, 0.4)}, {}));
  CHECK_THROWS_WITH_AS(cris::paper_tables({a, same}, {}), Contains("same cell with the same seed"), FormatError);
  CHECK_THROWS_WITH_AS(cris::paper_tables({s / "none"}, {}), Contains("not a run directory"), FormatError);
  std::filesystem::remove(a + "/SHA256SUMS");
  CHECK_THROWS_WITH_AS(cris::paper_tables({a}, {}), Contains("not finished"), FormatError);
}
