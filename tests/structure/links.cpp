/// Links of README.md and docs/: each leads to a file, and a name in backticks behind it stands in that file.
#include <doctest/doctest.h>

#include <regex>
#include <set>
#include <sstream>

#include "tree.h"

namespace {

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
  size_t names = 0;
  const auto check = [&](const fs::path& page, const std::string& text) {
    const Checked c = check_links(prose_of(text), (kRoot / page).parent_path());
    for (const std::string& b : c.broken) FAIL_CHECK(page.string(), ": ", b);
    names += c.names;
  };
  check("README.md", text_of(kRoot / "README.md"));
  for_each_file({"docs"}, {".md"}, check);
  CHECK(names > 40);  // the map of the paper alone has so many
}

TEST_CASE("every page of docs/ is in the navigation of the site, once, and the navigation names no other") {
  const std::string site = text_of(kRoot / "docs/mkdocs.yml");
  std::multiset<std::string> named;
  const std::regex entry(R"(: (\S+\.md)\n)");
  for (std::sregex_iterator at(site.begin(), site.end(), entry), end; at != end; ++at) named.insert((*at)[1]);
  std::multiset<std::string> pages = {"index.md"};  // README.md: see tools/docs_pages.py
  for_each_file({"docs"}, {".md"}, [&](const fs::path& page, const std::string&) {
    pages.insert(page.lexically_relative("docs").string());
  });
  CHECK(named == pages);
}

TEST_CASE("a link that leads nowhere, and a name that is gone, are found") {
  const fs::path here = kRoot / "tests/structure";
  CHECK(check_links("[a](links.cpp) `kLink` and [b](https://x.org)", here).broken.empty());
  CHECK(check_links("[a](gone.cpp)", here).broken == std::set<std::string>{"gone.cpp does not exist"});
  const std::string absent = std::string("no_such") + "_name";
  CHECK(check_links("[a](links.cpp) `" + absent + "`", here).broken.size() == 1);
}
