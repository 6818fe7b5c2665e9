/// Memory limits of control groups, of both versions, wherever a process lies in their trees.
#include "tensor/machine/host_memory.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "tests/scratch.h"

namespace {

int64_t limit(const Scratch& root, const std::string& groups) {
  std::istringstream text(groups);
  return tensor::group_memory(text, root.path);
}

void put(const Scratch& root, const std::string& folder, const std::string& file, const std::string& text) {
  root.folder(folder);
  std::ofstream(root / folder + "/" + file) << text << "\n";
}

}  // namespace

TEST_CASE("the least limit of a process's memory groups and of all around them counts") {
  const Scratch root;
  CHECK(limit(root, "0::/a/b\n") == INT64_MAX);
  put(root, "a/b", "memory.max", "max");
  CHECK(limit(root, "0::/a/b\n") == INT64_MAX);
  put(root, "a", "memory.max", "3000");
  put(root, "other", "memory.max", "5");
  CHECK(limit(root, "1:cpu:/other\n0::/a/b\n") == 3000);
  CHECK(limit(root, "0::/a/b/c/gone\n") == 3000);
  CHECK(limit(root, "0::/\n") == INT64_MAX);
  put(root, "", "memory.max", "7000");  // a container's own group
  CHECK(limit(root, "0::/hidden\n") == 7000);
  put(root, "memory/x", "memory.limit_in_bytes", "2000");
  put(root, "memory", "memory.limit_in_bytes", "9223372036854771712");
  CHECK(limit(root, "4:cpu,memory:/x/y\n0::/\n") == 2000);
  CHECK(limit(root, "no groups at all") == 7000);
}
