/// A split file is read, and written as it was, or it is refused. An input that begins with "#" lacks its first two
/// lines: they are put before it, with its hash.
#include "data/split.h"

#include "data/format_error.h"
#include "data/hash.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) try {
  std::string text(reinterpret_cast<const char*>(bytes), size);
  if (text.starts_with('#')) text = "cris split 1\nsha256 " + data::sha256(text) + "\n" + text;
  const data::Split split = data::read_split(MemoryFile(text).path);
  const std::string again = data::split_text(split);
  if (data::read_split(MemoryFile(again).path) != split) __builtin_trap();
  return 0;
} catch (const data::FormatError&) {
  return 0;
}
