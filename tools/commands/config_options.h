/// The settings that have flags of their own, for every subcommand that needs a configuration.
#pragma once
#include <memory>

#include "cris/run/config.h"
#include "tools/commands/command.h"

namespace tools {

/// What the command line said. config() = a start (the defaults), then -c FILE, then flags, then --set, resolved.
class ConfigOptions {
 public:
  /// Adds -c, --set and these of the flags to `app`; every other key is set by --set.
  ConfigOptions(CLI::App& app, const std::vector<std::string>& flags);
  /// Of commands that train, that build a network, that run one, and that time one.
  static const std::vector<std::string> kTraining, kNetwork, kRunning, kBench;
  /// Throws cris::ConfigError.
  cris::Config config(cris::Config start = {}) const;

 private:
  struct Flag {
    std::string flag, key, text;
    CLI::Option* option = nullptr;
  };
  std::string file_;
  std::vector<std::string> set_;
  std::vector<std::unique_ptr<Flag>> flags_;
};

/// --device and --threads of a command that uses a finished run; "" and 0 when they are not given.
void add_device(CLI::App& app, std::string& device, int64_t& threads);

/// "20m", "90s", "1.5h", "300" (seconds) -> seconds. Throws Failure(kUsage).
double seconds_from(const std::string& text);

}  // namespace tools
