/// The shape of the source tree, read from its #include lines: folders include only those below them, and nothing
/// includes itself by a detour.
#include <doctest/doctest.h>

#include <map>
#include <regex>
#include <set>

#include "tree.h"

namespace {

using Graph = std::map<std::string, std::set<std::string>>;

/// What each folder may include besides itself.
const Graph kBelow = [] {
  Graph below = {{"basics", {}}, {"tensor/machine", {"basics"}}, {"tensor", {"basics", "tensor/machine"}}};
  const std::set<std::string> core = {"basics", "tensor", "tensor/machine", "tensor/gaussian"};
  below["tensor/gaussian"] = {"basics", "tensor", "tensor/machine"};
  below["tensor/reference"] = below["tensor/cuda"] = below["tensor/plan"] = core;
  std::set<std::string> all = core;
  const auto add = [&](const std::string& folder) {
    below[folder] = all;
    all.insert(folder);
  };
  all.insert("tensor/reference");
  add("tensor/cpu");
  add("tensor/cpu/conv");
  all.insert({"tensor/cuda", "tensor/plan"});
  below["data"] = all;
  add("autograd");
  add("nn");
  all.insert("data");
  add("cris");
  add("cris/measures");
  add("cris/run");
  below["cris/audit"] = all;
  add("cris/report");
  all.insert("cris/audit");
  add("cris/study");
  add("tools/exchange");
  add("tools/commands");
  add("tools/bench");
  return below;
}();

/// The headers of tensor/ that know of no tensor: every folder may include them.
const std::set<std::string> kBasics = {"tensor/check.h", "tensor/names.h", "tensor/names.cpp", "tensor/device.h"};

std::string folder_of(const std::string& file) {
  return kBasics.contains(file) ? "basics" : fs::path(file).parent_path().string();
}
/// A header and its source are one: "cris/model.h" and "cris/model.cpp" are "cris/model".
std::string unit_of(const std::string& file) { return fs::path(file).replace_extension().string(); }

/// The files of the tree and the files that each includes.
Graph read_tree() {
  const std::regex include(R"re((^|\n)\s*#include "([^"]+)")re");
  Graph files;
  for_each_file({"tensor", "autograd", "nn", "data", "cris", "tools"}, {".h", ".cpp", ".cu", ".cuh"},
                [&](const fs::path& file, const std::string& text) {
                  std::set<std::string>& included = files[file.string()];
                  for (std::sregex_iterator at(text.begin(), text.end(), include), end; at != end; ++at) {
                    const std::string name = (*at)[2];
                    included.insert(fs::exists(kRoot / name) ? name : (file.parent_path() / name).string());
                  }
                });
  return files;
}

/// The graph of what `name_of` makes of both ends of each arrow, without arrows from a name to itself.
template <class F>
Graph named(const Graph& files, const F& name_of) {
  Graph graph;
  for (const auto& [from, included] : files)
    for (const std::string& to : included)
      if (name_of(from) != name_of(to)) graph[name_of(from)].insert(name_of(to));
  return graph;
}

/// One circle of the graph as "a -> b -> a"; "" when there is none.
std::string circle(const Graph& graph) {
  std::set<std::string> done;
  std::vector<std::string> path;
  std::string found;
  const auto visit = [&](const auto& self, const std::string& node) -> void {
    const auto on_path = std::find(path.begin(), path.end(), node);
    if (on_path != path.end()) {
      for (auto at = on_path; at != path.end(); ++at) found += *at + " -> ";
      found += node;
    }
    if (!found.empty() || !done.insert(node).second) return;
    path.push_back(node);
    if (const auto at = graph.find(node); at != graph.end())
      for (const std::string& next : at->second) self(self, next);
    path.pop_back();
  };
  for (const auto& [node, next] : graph) visit(visit, node);
  return found;
}

}  // namespace

TEST_CASE("a folder includes only folders below it") {
  REQUIRE(circle(kBelow) == "");
  for (const auto& [file, included] : read_tree())
    for (const std::string& to : included) {
      const std::string from_folder = folder_of(file), to_folder = folder_of(to);
      REQUIRE_MESSAGE(kBelow.contains(from_folder), from_folder, " is a new folder: say here what it may include");
      if (from_folder == to_folder || kBelow.at(from_folder).contains(to_folder)) continue;
      FAIL_CHECK(file, " includes ", to, ", which lies above it");
    }
}

TEST_CASE("no file includes itself by a detour") {
  const Graph units = named(read_tree(), unit_of);
  CHECK(units.at("cris/model").contains("cris/backbone"));
  CHECK(circle(units) == "");
}

TEST_CASE("a circle is found and named, whatever leads to it") {
  CHECK(circle({{"a", {"b", "c"}}, {"b", {"c"}}}) == "");
  CHECK(circle({{"a", {"b"}}, {"b", {"c"}}, {"c", {"d", "b"}}}) == "b -> c -> b");
  const Graph files = {{"x/a.h", {"x/b.h"}}, {"x/b.cpp", {"x/a.h", "x/b.h"}}, {"x/c.cpp", {"x/a.h"}}};
  CHECK(circle(named(files, unit_of)) == "x/a -> x/b -> x/a");
}
