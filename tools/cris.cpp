/// The program: offers every subcommand, runs one, and turns every failure into one line and an exit code.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cris/config.h"
#include "cris/guard.h"
#include "data/format_error.h"
#include "tools/command.h"
#include "tools/interrupt.h"

namespace tools {

namespace {
std::vector<const Command*>& registry() {
  static std::vector<const Command*> all;
  return all;
}
}  // namespace

Command::Command(int rank, const char* name, const char* description, Setup setup)
    : rank(rank), name(name), description(description), setup(setup) {
  registry().push_back(this);
}

std::vector<const Command*> commands() {
  auto all = registry();
  std::sort(all.begin(), all.end(), [](const Command* a, const Command* b) { return a->rank < b->rank; });
  return all;
}

}  // namespace tools

int main(int argc, char** argv) {
  using namespace tools;
  remember_command_line(argc, argv);
  CLI::App app("CRIS: segments polyps with a network that refines its own masks, all of it written here.", "cris");
  app.set_version_flag("--version", CRIS_VERSION);
  app.require_subcommand(1);
  std::map<CLI::App*, Run> runs;
  for (const Command* c : commands()) {
    CLI::App* sub = app.add_subcommand(c->name, c->description);
    runs[sub] = c->setup(*sub);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kOk : kUsage;
  }
  try {
    return runs.at(app.get_subcommands().front())();
  } catch (const Failure& e) {
    fmt::print(stderr, "cris: {}\n", e.what());
    return e.code;
  } catch (const cris::NonFiniteError& e) {
    fmt::print(stderr, "cris: {}\n", e.what());
    return kNonFinite;
  } catch (const cris::ConfigError& e) {
    fmt::print(stderr, "cris: {}\n", e.what());
    return kUsage;
  } catch (const std::exception& e) {
    // Every other failure comes from files: data, checkpoints, a disk that is full.
    fmt::print(stderr, "cris: {}\n", e.what());
    return kData;
  }
}
