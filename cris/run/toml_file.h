/// toml++, and a file of TOML read by it: the one place that includes it.
#pragma once
// Some files break what toml++ 3.3 asserts, or without assertions takes for granted. With neither it refuses them.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(condition) static_cast<void>(0)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include <fmt/format.h>

#include <string>

#include "cris/run/config_error.h"

namespace cris {

/// Throws ConfigError naming `path` and the line.
inline toml::table parse_toml(const std::string& text, const std::string& path) {
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& e) {
    throw ConfigError(fmt::format("{}:{}: {}", path, e.source().begin.line, e.description()));
  }
}

struct Config;
/// Sets every key of a table, and of the tables in it. Throws ConfigError as read_config.
void set_from_table(Config& config, const toml::table& values, const std::string& path);

}  // namespace cris
