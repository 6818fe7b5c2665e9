/// An array of NumPy is a map of the size it says, or it is refused. An input that is not one is a header: its magic
/// and its length are put before it, and zeros behind it.
#include "data/map.h"

#include <string>

#include "data/format_error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) try {
  std::string file(reinterpret_cast<const char*>(bytes), size);
  if (file.starts_with('{'))
    file = std::string("\x93NUMPY\x01\0", 8) + char(size & 0xFF) + char(size >> 8) + file + std::string(24, '\0');
  const data::Map map = data::parse_npy(file, "fuzzed");
  if (int64_t(map.values.size()) != map.height * map.width || map.values.empty()) __builtin_trap();
  return 0;
} catch (const data::FormatError&) {
  return 0;
}
