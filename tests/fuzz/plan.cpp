/// A plan of a study is read, its cells have names of their own, and it goes on with itself; or it is refused.
#include "cris/study/plan.h"

#include <set>

#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) try {
  const cris::Plan plan = cris::read_plan(MemoryFile(bytes, size).path);
  std::set<std::string> names;
  for (const cris::Cell& cell : plan.cells)
    if (!names.insert(cell.name).second) __builtin_trap();
  try {
    cris::require_continues(plan, plan);
  } catch (const cris::ConfigError&) {
    __builtin_trap();
  }
  return 0;
} catch (const cris::ConfigError&) {
  return 0;
}
