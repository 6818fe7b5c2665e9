/// The report's page: what it shows of runs, and what it shows without a script.
#include "cris/report/html_report.h"

#include <doctest/doctest.h>

#include "cris/report/crf_filmstrip.h"
#include "cris/report/html_page.h"
#include "cris/report/interval_chart.h"
#include "cris/report/svg_chart.h"
#include "tests/cris/finished_run.h"
#include "tests/message.h"

using doctest::Contains;

TEST_CASE("a page lists its chapters as links") {
  const std::string page = cris::with_contents("<h1>A</h1>\n<h2>One</h2>\n<p>text</p>\n<h2>Two</h2>\n");
  CHECK(page ==
        "<h1>A</h1>\n<nav><a href=\"#chapter-1\">One</a> <a href=\"#chapter-2\">Two</a> </nav>\n"
        "<h2 id=\"chapter-1\">One</h2>\n<p>text</p>\n<h2 id=\"chapter-2\">Two</h2>\n");
  CHECK(cris::with_contents("<h1>A</h1>\n<h2>One</h2>\n").find("nav") == std::string::npos);
}

TEST_CASE("report: times, day, commands and validation loss of a run stand on its page, each only where it is known") {
  const Scratch s;
  const std::string run = finished_run(s, "run", cell("unet", "fcn"), 0.5);
  const auto page = [&] { return cris::html_report(cris::report_cells({run}), "Title"); };
  const auto write = [&](const char* file, const std::string& text) {
    tensor::write_file_atomically(run + "/" + file, text);
  };
  write("epochs.csv", "epoch,loss,l,a,b,c,d,e,f,best,g,t\n1,bce,1,0,0,0,0,0.1,0,1,0.5,0.5\n");
  write("metrics.jsonl", "");
  const std::string before = page();
  CHECK(!contains(before, "Validation cross entropy"));
  CHECK_MESSAGE(contains(before, "<td data-label=\"training, min\">-</td>"), before);

  write("epochs.csv",
        "epoch,loss,l,a,b,c,d,e,f,best,g,t,validation_bce\n1,bce,1,0,0,0,0,0.1,0,1,0.5,0.5,0.375\n"
        "2,bce,1,0,0,0,0,0.1,0,0,0.5,0.5,0.25\n");
  write("timing.jsonl",
        "{\"seconds\": 60, \"network_ms_an_image\": 2}\n{\"seconds\": 30, \"network_ms_an_image\": 4}\n{\"sec");
  write("log.txt",
        "2026-01-02T03:04:05Z   epoch loss\n2026-01-02T03:04:06Z     1/2 bce 0.5\n"
        "2026-01-03T03:04:05Z best epoch 2, best validation Dice 0.5\n2026-01-09T00:00:00Z note\n");
  const std::string after = page();
  CHECK(contains(after, "Validation cross entropy"));
  for (const char* cell : {"training, min\">1.5<", "network, ms an image\">3.00<", "finished\">2026-01-03<"})
    CHECK_MESSAGE(contains(after, cell), cell);
  // The slider and its numbers wait for the script; the two thresholds of the run's curves are its steps.
  CHECK(contains(after, "<div id=\"slider\" class=\"slider\" hidden>"));
  CHECK(contains(after, "thresholds = [0,1], curves = [[[0.2000,0.1000,1.0000],[0.4000,1.0000,0.2500]]]"));
}

TEST_CASE("an axis whose label asks for percent shows its numbers times 100") {
  const auto chart = [](const char* label) {
    cris::Chart c = cris::unit_chart("", "threshold", label);
    c.series = {{.name = "a", .points = {{0, 0.2}, {1, 0.8}}}};
    return cris::to_svg(c);
  };
  CHECK(contains(chart("Dice, %"), ">80</text>"));
  CHECK(!contains(chart("Dice"), ">80</text>"));
  CHECK(contains(chart("Dice"), ">0.8</text>"));
}

TEST_CASE("a film strip shows every iteration, of many twelve to the last") {
  CHECK(cris::film_iterations(3) == std::vector<int64_t>{1, 2, 3});
  CHECK(cris::film_iterations(24) == std::vector<int64_t>{2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24});
}

TEST_CASE("an interval chart: a dot filled where the interval excludes 0, a diamond for a claim, an axis with 0") {
  const std::string hollow = "r=\"4\" style=\"fill:var(--card,#fff)", diamond = "l5 5l-5 5l-5 -5z";
  const std::vector<cris::Estimate> rows = {{"a < b", 3, 1, 5}, {"c", -2, -4, -0.5}, {"open", 1, -1, 3, 9.5}};
  const std::string svg = cris::interval_chart("differences", "points", rows);
  CHECK(count_of("<circle", svg) == 4);  // one in the legend
  CHECK(count_of(hollow, svg) == 1);
  CHECK(count_of(diamond, svg) == 2);
  CHECK(count_of(">claimed<", svg) == 1);
  CHECK(count_of(">a &lt; b<", svg) == 1);
  for (const char* tick : {">-4<", ">0<", ">10<"}) CHECK(count_of(tick, svg) == 1);
  const std::string far = cris::interval_chart("", "", {{"", 7, 6, 8}});  // 0 is shown where no interval comes near it
  CHECK(count_of(">0<", far) == 1);
  CHECK(count_of(diamond, far) == 0);
}
