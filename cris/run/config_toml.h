/// Settings from a TOML table, for files that hold more than one configuration.
#pragma once
#include <toml++/toml.h>

#include <string>

#include "cris/run/config.h"

namespace cris {

/// The tables and keys of `values` over `config`, as read_config does it. `file` is named in errors.
void read_config(Config& config, const toml::table& values, const std::string& file);

}  // namespace cris
