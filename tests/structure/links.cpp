/// Links of README.md and docs/: each leads to a file, and a name in backticks behind it stands in that file.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace fs = std::filesystem;

namespace {

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The page without its fenced blocks: `list[0](x)` in code is no link.
std::string prose_of(const std::string& page) {
  std::istringstream lines(page);
  std::string prose;
  bool code = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) code = !code;
    if (!code) prose += line + "\n";
  }
  return prose;
}

/// [text](target), and where it follows at once, `name`.
const std::regex kLink(R"(\]\(([^)\s]+)\)(?: `([^`]+)`)?)");

struct Checked {
  size_t links = 0, names = 0;
  std::set<std::string> broken;
};

Checked check_links(const std::string& page, const fs::path& folder) {
  Checked c;
  for (std::sregex_iterator at(page.begin(), page.end(), kLink), end; at != end; ++at) {
    const std::string target = std::regex_replace((*at)[1].str(), std::regex("#.*"), ""), name = (*at)[2];
    if (target.empty() || target.starts_with("http")) continue;
    ++c.links, c.names += !name.empty();
    if (!fs::exists(folder / target))
      c.broken.insert(target + " does not exist");
    else if (!name.empty() && text_of(folder / target).find(name) == std::string::npos)
      c.broken.insert(target + " does not hold " + name);
  }
  return c;
}

}  // namespace

TEST_CASE("every link of the docs leads to a file, and to the name beside it") {
  const fs::path root = CRIS_SOURCE_DIR;
  std::set<fs::path> pages = {root / "README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs"))
    if (entry.path().extension() == ".md") pages.insert(entry.path());
  size_t names = 0;
  for (const fs::path& page : pages) {
    const Checked c = check_links(prose_of(text_of(page)), page.parent_path());
    for (const std::string& b : c.broken) FAIL_CHECK(page.lexically_relative(root).string(), ": ", b);
    names += c.names;
  }
  CHECK(names > 40);  // the map of the paper alone has so many
}

TEST_CASE("every page of docs/ is in the navigation of the site, once, and the navigation names no other") {
  const fs::path docs = fs::path(CRIS_SOURCE_DIR) / "docs";
  const std::string site = text_of(docs / "mkdocs.yml");
  std::multiset<std::string> named;
  const std::regex entry(R"(: (\S+\.md)\n)");
  for (std::sregex_iterator at(site.begin(), site.end(), entry), end; at != end; ++at) named.insert((*at)[1]);
  std::multiset<std::string> pages = {"index.md"};  // README.md: see tools/docs_pages.py
  for (const auto& file : fs::recursive_directory_iterator(docs))
    if (file.path().extension() == ".md") pages.insert(file.path().lexically_relative(docs).string());
  CHECK(named == pages);
}

TEST_CASE("a link that leads nowhere, and a name that is gone, are found") {
  const fs::path here = fs::path(CRIS_SOURCE_DIR) / "tests" / "structure";
  CHECK(check_links("[a](links.cpp) `kLink` and [b](https://x.org)", here).broken.empty());
  CHECK(check_links("[a](gone.cpp)", here).broken == std::set<std::string>{"gone.cpp does not exist"});
  const std::string absent = std::string("no_such") + "_name";
  CHECK(check_links("[a](links.cpp) `" + absent + "`", here).broken.size() == 1);
}
