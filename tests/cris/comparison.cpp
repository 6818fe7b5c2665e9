/// Runs side by side: cells of several seeds, pairs compared image by image, and tables in every form.
#include "cris/report/comparison.h"

#include <doctest/doctest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "data/format_error.h"
#include "tests/cris/finished_run.h"
#include "tests/message.h"

using doctest::Contains;

namespace {

/// Gives the run's image i the Dice `dice(i)`.
void set_dice(const std::string& run, const std::function<double(int)>& dice) {
  std::string text = "name,dice\n";
  for (int i = 0; i < 20; ++i) text += fmt::format("{},{}\n", i, dice(i));
  tensor::write_file_atomically(run + "/per_image.csv", text);
}

}  // namespace

TEST_CASE("runs that differ in their seed alone are one cell, and cells are ranked only with several seeds") {
  const Scratch s;
  std::vector<std::string> paths;
  for (const char* strategy : {"fcn", "cris"})
    for (int seed : {1, 0}) {
      paths.push_back(finished_run(s, fmt::format("{}{}", strategy, seed), cell("unet", strategy, seed), 0.5));
      const double gain = std::string(strategy) == "cris" ? 0.1 : 0;
      set_dice(paths.back(), [&](int i) { return 0.4 + 0.01 * i + gain * (1 + 0.05 * (i % 3)) + 0.001 * seed; });
    }
  const auto cells = cris::report_cells(paths);
  REQUIRE(cells.size() == 2);
  CHECK(cells[0].label == "fcn");
  CHECK(cells[0].runs[0].config.train.seed == 0);
  const auto pairs = cris::compare(cells);
  REQUIRE(pairs.size() == 1);
  CHECK(pairs[0].a == 1);
  CHECK(pairs[0].dice.mean == doctest::Approx(0.1 * 1.0475));
  CHECK(pairs[0].certain());
  const cris::Table results = cris::results_table(cells, pairs);
  CHECK_FALSE(results.rows[0][1].strong);
  CHECK(results.rows[1][1].strong);
  CHECK(cris::differences_table(cells, pairs).rows[0].back().text == "higher");
  CHECK(cris::order_text(cells).starts_with("cris 60.03 > fcn 49.55; first minus second 10.48 points"));

  // Seeds are paired by their numbers, and no two that differ pass for one.
  cris::Config third = cell("unet", "fcn", 3), fourth = cell("unet", "fcn", 4);
  const std::string c = finished_run(s, "c", third, 0.5), d = finished_run(s, "d", fourth, 0.5);
  for (const std::string& run : {c, d}) set_dice(run, [](int i) { return 0.3 + 0.01 * i; });
  const auto apart = cris::compare(cris::report_cells({c, d, paths[2], paths[3]}));
  REQUIRE(apart.size() == 1);
  CHECK(apart[0].dice.excludes_zero());
  CHECK_FALSE(apart[0].ranked);
  CHECK_FALSE(apart[0].certain());
  const auto one_shared = cris::compare(cris::report_cells({paths[0], c, paths[2], paths[3]}));
  CHECK_FALSE(one_shared[0].certain());
  CHECK(one_shared[0].dice.mean == doctest::Approx(0.1 * 1.0475));  // of seed 1 alone

  const auto single = cris::report_cells({paths[1], paths[3]});
  CHECK_FALSE(cris::compare(single)[0].certain());
  CHECK_FALSE(cris::results_table(single, cris::compare(single)).rows[1][1].strong);
  CHECK(cris::order_text(single).ends_with("not ranked: no two seeds in common"));
}

TEST_CASE("a cell that is not above an unlearned method says so") {
  const Scratch s;
  const std::string run = finished_run(s, "a", cell("unet", "fcn"), 0.5);
  auto evaluation = nlohmann::ordered_json::parse(tensor::read_file(run + "/evaluation.json"));
  evaluation["baselines"]["every_pixel"] = {{"dice", 0.5}, {"dice_of_images", std::vector<double>(20, 0.5)}};
  tensor::write_file_atomically(run + "/evaluation.json", evaluation.dump());
  const auto cells = cris::report_cells({run});
  const cris::Table results = cris::results_table(cells, {});
  CHECK(results.rows[0][0].text == "unet fcn †");
  CHECK(results.rows[1][0].text == "unlearned: every pixel is polyp");
  CHECK(results.rows[1][1].text == "50.0");
  std::string notes;
  for (const std::string& n : cris::honesty_notes(cells)) notes += n;
  CHECK(contains(notes, "not above an unlearned method (every pixel is polyp)"));
  CHECK(contains(notes, "one seed"));
}

TEST_CASE("runs that do not compare are refused with the reason, settings that differ are named") {
  const Scratch s;
  cris::Config larger = cell("unet", "fcn", 1), drawn = cell("unet", "fcn", 2);
  larger.data.size = 128, drawn.model.refiner.init = cris::RefinerStart::draw;
  const std::string a = finished_run(s, "a", cell("unet", "fcn"), 0.4), b = finished_run(s, "b", larger, 0.4),
                    c = finished_run(s, "c", drawn, 0.4);
  CHECK_THROWS_WITH_AS(cris::report_cells({a, b}), Contains("do not compare: data.size"), data::FormatError);
  CHECK_THROWS_WITH_AS(cris::report_cells({a, a}), Contains("the same cell with the same seed"), data::FormatError);
  CHECK(cris::report_cells({a, c}).at(1).label == "fcn, refiner.init: \"draw\", not \"copy\"");
  std::string manifest = tensor::read_file(c + "/manifest.json");
  manifest.replace(manifest.find("5a"), 2, "5b");
  tensor::write_file_atomically(c + "/manifest.json", manifest);
  CHECK_THROWS_WITH_AS(cris::report_cells({a, c}), Contains("their splits differ"), data::FormatError);
}

TEST_CASE("a table as HTML, CSV, JSON and LaTeX") {
  const cris::Table t{.name = "t",
                      .title = "T",
                      .columns = {"", "Dice, %", "p"},
                      .rows = {{{"a & b"}, {"51.5", true}, {"< 0.1"}}, {{"c"}, {"49.0 ± 1.2"}, {"-"}}}};
  CHECK(contains(cris::to_html(t), "<td data-label=\"Dice, %\" class=\"best\">51.5</td>"));
  CHECK(contains(cris::to_html(t), "a &amp; b"));
  CHECK(cris::to_csv(t) == ",\"Dice, %\",p\na & b,51.5,< 0.1\nc,49.0 ± 1.2,-\n");
  const auto rows = nlohmann::json::parse(cris::to_json(t));
  CHECK(rows[0]["Dice, %"] == 51.5);
  CHECK(rows[1]["Dice, %"] == "49.0 ± 1.2");
  CHECK(contains(cris::to_latex(t), "a \\& b & \\textbf{51.5} & < 0.1 \\\\\n"));
  CHECK(contains(cris::to_latex(t), "49.0 $\\pm$ 1.2"));
}
