/// A split file is read, or refused with its name.
#include "data/split.h"

#include "data/format_error.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) try {
  const MemoryFile file(bytes, size);
  const data::Split split = data::read_split(file.path);
  if (data::split_hash(split).size() != 64) __builtin_trap();
  return 0;
} catch (const data::FormatError&) {
  return 0;
}
