/// What holds for every file of the source tree.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

/// Calls f(path, content) for the files below these folders that end in one of `extensions`; returns how many there
/// are.
template <class F>
size_t for_each_file(const std::vector<std::string>& folders, const std::vector<std::string>& extensions, const F& f) {
  size_t files = 0;
  for (const std::string& folder : folders)
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(CRIS_SOURCE_DIR) / folder)) {
      if (!std::ranges::count(extensions, entry.path().extension().string())) continue;
      std::ifstream file(entry.path());
      f(entry.path().string(), std::string{std::istreambuf_iterator<char>(file), {}});
      ++files;
    }
  return files;
}

}  // namespace

TEST_CASE("no name of a test holds a semicolon") {
  // CTest keeps the names of tests as a list, whose parts a semicolon ends: a test of such a name would not run.
  const std::regex name(R"re(TEST_CASE(?:_TEMPLATE)?\(\s*((?:"[^"\n]*"\s*)+))re");
  size_t names = 0;
  for_each_file({"tests"}, {".cpp"}, [&](const std::string& path, const std::string& text) {
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at, ++names)
      CHECK_MESSAGE((*at)[1].str().find(';') == std::string::npos, path, ": ", (*at)[1].str());
  });
  CHECK(names > 300);
}

TEST_CASE("no file is longer than 400 lines") {
  const size_t files =
      for_each_file({"tensor", "autograd", "nn", "data", "cris", "tools", "tests", "docs"},
                    {".cpp", ".h", ".cu", ".cuh", ".py", ".sh"}, [&](const std::string& path, const std::string& text) {
                      CHECK_MESSAGE(std::ranges::count(text, '\n') <= 400, path);
                    });
  CHECK(files > 400);
}
