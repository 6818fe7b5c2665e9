/// Areas, boxes and centroids of masks that were drawn by hand.
#include "cris/measures/findings.h"

#include <doctest/doctest.h>

#include "tests/scratch.h"

namespace {

/// 1 where the picture has #.
data::Image drawn(const std::vector<std::string>& rows) {
  data::Image y(int64_t(rows.size()), int64_t(rows[0].size()), 1);
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t j = 0; j < rows[0].size(); ++j) y.pixels[i * rows[0].size() + j] = rows[i][j] == '#' ? 255 : 0;
  return y;
}

}  // namespace

TEST_CASE("findings: two polyps, one of which touches itself by a corner") {
  const data::Image mask = drawn({"##...", "..#..", "....#"});
  std::vector<float> p(15, 0.25f);
  p[0] = 0.75f, p[14] = 0.5f, p[3] = 0.875f;
  const cris::Findings f = cris::find_regions(mask, p.data());
  REQUIRE(f.components.size() == 2);
  const cris::Region &first = f.components[0], &second = f.components[1];
  CHECK(first.area == 3);
  CHECK(std::vector<int64_t>{first.left, first.top, first.right, first.bottom} == std::vector<int64_t>{0, 0, 2, 1});
  CHECK(first.x == 1);
  CHECK(first.y == doctest::Approx(1.0 / 3));
  CHECK(first.largest_probability == 0.75);
  CHECK(second.area == 1);
  CHECK(std::vector<int64_t>{second.left, second.top, second.right, second.bottom} == std::vector<int64_t>{4, 2, 4, 2});
  CHECK(f.all.area == 4);
  CHECK(f.all.x == doctest::Approx(7.0 / 4));
  CHECK(f.all.right == 4);
  CHECK(f.largest_probability == 0.875);  // of the whole picture
  const cris::Findings none = cris::find_regions(drawn({"...", "..."}), p.data());
  CHECK(none.all.area == 0);
  CHECK(cris::json_of(none).at("polyp").dump() == "{\"area\":0}");
}

TEST_CASE("findings: the files are readable and known as our own") {
  const Scratch scratch;
  for (int64_t pictures = 0; pictures <= 2; ++pictures) {
    cris::FindingsFiles files(scratch.path, "run", 0.5);
    for (int64_t i = 0; i < pictures; ++i) {
      cris::Findings f = cris::find_regions(drawn({i == 0 ? "#." : ".."}), std::vector<float>{0.5f, 0}.data());
      f.name = i == 0 ? "a,b" : "=c";
      files.add(f);
    }
    files.commit();
    const auto json = nlohmann::json::parse(tensor::read_file(scratch / "findings.json"));
    CHECK(json.at("images").size() == size_t(pictures));
    CHECK(json.at("writer") == "cris");
  }
  CHECK(tensor::read_file(scratch / "findings.csv") ==
        std::string(cris::FindingsFiles::kHeader) +
            "\"a,b\",,2,1,1,0.500000,1,0,0,0,0,0.00,0.00,0.500000,0.00\n'=c,,2,1,0,0.000000,0,,,,,,,0.500000,0.00\n");
}
