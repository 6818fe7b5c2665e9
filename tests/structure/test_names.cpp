/// CTest keeps the names of tests as a list, whose parts a semicolon ends: a test of such a name would not run.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

namespace fs = std::filesystem;

TEST_CASE("no name of a test holds a semicolon") {
  const std::regex name(R"re(TEST_CASE(?:_TEMPLATE)?\(\s*((?:"[^"\n]*"\s*)+))re");
  size_t names = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(CRIS_SOURCE_DIR) / "tests")) {
    if (entry.path().extension() != ".cpp") continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at, ++names)
      CHECK_MESSAGE((*at)[1].str().find(';') == std::string::npos, entry.path().string(), ": ", (*at)[1].str());
  }
  CHECK(names > 300);
}
