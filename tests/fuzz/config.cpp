/// A configuration is read, and written so that it reads back the same, or it is refused.
#include "cris/run/config.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) try {
  cris::Config config, again;
  cris::read_config(config, MemoryFile(bytes, size).path);
  cris::resolve_config(config);
  const std::string text = cris::to_toml(config);
  try {
    cris::read_config(again, MemoryFile(text).path);
  } catch (const cris::ConfigError&) {
    __builtin_trap();
  }
  if (cris::to_toml(again) != text) __builtin_trap();
  return 0;
} catch (const cris::ConfigError&) {
  return 0;
}
