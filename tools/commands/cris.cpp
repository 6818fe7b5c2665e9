/// The program: offers every subcommand, runs one, and turns every failure into one line and an exit code.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <new>
#include <system_error>

#include "cris/nonfinite.h"
#include "cris/run/build_facts.h"
#include "cris/run/config.h"
#include "data/format_error.h"
#include "tools/commands/command.h"
#include "tools/commands/interrupt.h"

namespace tools {

namespace {
std::vector<const Command*>& registry() {
  static std::vector<const Command*> all;
  return all;
}
/// One line on stderr, whatever the message quotes.
int complain(std::string message, ExitCode code) {
  for (char& c : message)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  std::fputs(("cris: " + message + "\n").c_str(), stderr);
  return code;
}
/// `code`, where all that was printed was written or its reader chose to leave.
int after_printing(int code) {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return code;
  pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  if (poll(&out, 1, 0) == 1 && (out.revents & POLLERR)) return code;
  return complain("what was printed could not be written: is the disk full?", kData);
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
  begin_process();
  remember_command_line(argc, argv);
  CLI::App app("CRIS: segments polyps with a network that refines its own masks, all of it written here.", "cris");
  app.set_version_flag("--version",
                       fmt::format("cris {} (commit {})", cris::build_facts().version, cris::build_facts().commit));
  app.require_subcommand(1);
  std::map<CLI::App*, Run> runs;
  for (const Command* c : commands()) {
    CLI::App* sub = app.add_subcommand(c->name, c->description);
    runs[sub] = c->setup(*sub);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {
      app.exit(e);
      std::cout.flush();
      return after_printing(kOk);
    }
    std::string command = "cris";
    for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
      at = at->get_subcommands().front();
      command += " " + at->get_name();
    }
    const bool unknown = app.get_subcommands().empty() && !app.remaining().empty();
    const std::string problem = unknown ? app.remaining().front() + " is not a command" : e.what();
    return complain(fmt::format("{}; {} --help says more", problem, command), kUsage);
  }
  try {
    return after_printing(runs.at(app.get_subcommands().front())());
  } catch (const Failure& e) {
    return complain(e.what(), e.code);
  } catch (const cris::NonFiniteError& e) {
    return complain(e.what(), kNonFinite);
  } catch (const cris::ConfigError& e) {
    return complain(e.what(), kUsage);
  } catch (const std::bad_alloc&) {
    return complain("out of memory; use a smaller batch, size or base", kData);
  } catch (const std::system_error& e) {
    // The work was done: what is printed comes last.
    return e.code() == std::errc::broken_pipe ? kOk : complain(e.what(), kData);
  } catch (const std::exception& e) {
    // Every other failure comes from files: data, checkpoints, a disk that is full.
    return complain(e.what(), kData);
  }
}
