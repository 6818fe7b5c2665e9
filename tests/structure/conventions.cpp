/// What holds for every file of the source tree.
#include <doctest/doctest.h>

#include <algorithm>
#include <regex>

#include "tree.h"

TEST_CASE("no name of a test holds a semicolon") {
  // CTest keeps the names of tests as a list, whose parts a semicolon ends: a test of such a name would not run.
  const std::regex name(R"re(TEST_CASE(?:_TEMPLATE)?\(\s*((?:"[^"\n]*"\s*)+))re");
  size_t names = 0;
  for_each_file({"tests"}, {".cpp"}, [&](const fs::path& path, const std::string& text) {
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at, ++names)
      CHECK_MESSAGE((*at)[1].str().find(';') == std::string::npos, path.string(), ": ", (*at)[1].str());
  });
  CHECK(names > 300);
}

TEST_CASE("no file is longer than 400 lines") {
  const size_t files =
      for_each_file({"tensor", "autograd", "nn", "data", "cris", "tools", "tests", "docs"},
                    {".cpp", ".h", ".cu", ".cuh", ".py", ".sh"}, [&](const fs::path& path, const std::string& text) {
                      CHECK_MESSAGE(std::ranges::count(text, '\n') <= 400, path.string());
                    });
  CHECK(files > 400);
}
