/// The settings that have flags of their own, for every subcommand that needs a configuration.
#pragma once
#include <optional>
#include <utility>

#include "cris/run/config.h"
#include "tools/commands/command.h"

namespace tools {

/// What the command line said. config() = a start (the defaults), then -c FILE, then flags, then --set, resolved.
class ConfigOptions {
 public:
  /// Who has which flags: commands that train, that build a network, that run one, and that time one.
  enum User { kTraining = 1, kNetwork = 2, kRunning = 4, kBench = 8 };
  /// Adds -c, --set and the user's flags to `app`; every other key is set by --set.
  ConfigOptions(CLI::App& app, User user);
  /// Throws cris::ConfigError.
  cris::Config config(cris::Config start = {}) const;

 private:
  std::string file_;
  std::vector<std::string> set_;
  std::vector<std::pair<CLI::Option*, std::string>> flags_;  // and the key that it sets
};

/// --checkpoint of a command that uses a finished run.
void add_checkpoint(CLI::App& app, std::string& checkpoint);
/// Its --device and --threads; "" and nothing when they are not given.
void add_device(CLI::App& app, std::string& device, std::optional<int64_t>& threads);

/// "20m", "90s", "1.5h", "300" (seconds) -> seconds. Throws Failure(kUsage).
double seconds_from(const std::string& text);

}  // namespace tools
