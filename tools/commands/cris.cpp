/// The program: offers every subcommand, runs one, and turns every failure into one line and an exit code.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <new>
#include <system_error>

#include "cris/nonfinite.h"
#include "cris/run/build_facts.h"
#include "cris/run/config.h"
#include "cris/run/outputs.h"
#include "tensor/machine/allocator.h"
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
/// What was wrong with the command line, with the nearest command or option where one was mistyped.
std::string problem_with(const CLI::App& app, const CLI::ParseError& e) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  auto extras = at->remaining();
  std::erase(extras, "--");  // no option: what follows it is none
  const auto advice = [](const std::string& typed, const std::vector<std::string>& known) {
    const std::string nearest = nearest_name(typed, known);
    return nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
  };
  std::string problem = e.what();
  const bool missing = dynamic_cast<const CLI::RequiredError*>(&e) != nullptr;
  if (!extras.empty() && (missing || dynamic_cast<const CLI::ExtrasError*>(&e))) {
    const std::string& typed = extras.front();
    const auto subcommands = commands_of(*at);
    if (typed.starts_with("-")) {
      std::vector<std::string> flags;
      for (const OptionHelp& o : options_of(*at)) flags.insert(flags.end(), o.flags.begin(), o.flags.end());
      const std::string name = typed.substr(0, typed.find('='));
      problem = fmt::format("{} is not an option of {}{}", name, full_name(*at), advice(name, flags));
    } else if (!subcommands.empty()) {
      std::vector<std::string> names;
      for (const CLI::App* c : subcommands) names.push_back(c->get_name());
      problem = fmt::format("{} is not a command{}{}", typed, at == &app ? "" : " of " + full_name(*at),
                            advice(typed, names));
    } else {
      const auto options = options_of(*at);
      const bool data = std::any_of(options.begin(), options.end(), [](const OptionHelp& o) {
        return std::find(o.flags.begin(), o.flags.end(), "--data") != o.flags.end();
      });
      problem = fmt::format("{} is one argument too many for {}{}", typed, full_name(*at),
                            data ? fmt::format("; did you mean --data {}?", typed) : "");
    }
  }
  return fmt::format("{}; {} --help says more", problem, full_name(*at));
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

void require_output(const std::string& path, const std::string& wanted, const char* kind) {
  cris::check_outputs({path});
  const std::string end = std::filesystem::path(path).extension();
  if (!end.empty() && end != wanted)
    throw Failure(kUsage, "-o {}: the result is {}; name it so that it ends in {}", path, kind, wanted);
}

/// "-o $FOLDER" of a variable that is not set must not write into the root of the disk.
void require_values(const CLI::App& app) {
  for (const CLI::Option* o : app.get_options()) {
    const std::string type = o->get_type_name();
    const bool path = o->get_positional() || type == "DIR" || type == "FILE" || type == "RUN" || type == "TIME";
    if (path && o->count() > 0 && std::ranges::count(o->results(), ""))
      throw Failure(kUsage, "{}: its value is empty; name a file or folder, or leave the flag away", o->get_name());
  }
  for (const CLI::App* sub : app.get_subcommands()) require_values(*sub);
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
                       fmt::format("cris {} (commit {})", cris::build_facts().version, cris::build_facts().commit),
                       "print the version and end");
  app.require_subcommand(1);
  app.formatter(std::make_shared<HelpFormatter>());
  app.option_defaults()->always_capture_default();  // what a variable holds, unless it is empty, is its default
  std::map<CLI::App*, Run> runs;
  for (const Command* c : commands()) {
    CLI::App* sub = app.add_subcommand(c->name, c->description);
    runs[sub] = c->setup(*sub);
  }
  // Last, or every command would begin with them.
  add_example(app, "data synthesize data");
  add_example(app, "train --data data --base 8 --size 64 --epochs 4 -o run");
  add_example(app, "predict run data -o out");
  if (argc == 1) {
    std::cout << app.help();
    std::cout.flush();
    return after_printing(kUsage);
  }
  // "cris help predict" is "cris predict --help"; a mistyped command is named as it is without help.
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.front() == "help") {
    words.erase(words.begin());
    const auto named = [&](CLI::App* sub) { return sub->check_name(words.front()); };
    if (words.empty() || !app.get_subcommands(named).empty()) words.emplace_back("--help");
  }
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  try {
    app.parse(words);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {
      app.exit(e);
      std::cout.flush();
      return after_printing(kOk);
    }
    return complain(problem_with(app, e), kUsage);
  }
  try {
    require_values(app);
    return after_printing(runs.at(app.get_subcommands().front())());
  } catch (const Failure& e) {
    return complain(e.what(), e.code);
  } catch (const cris::NonFiniteError& e) {
    return complain(e.what(), kNonFinite);
  } catch (const cris::ConfigError& e) {
    return complain(e.what(), kUsage);
  } catch (const tensor::OutOfMemory& e) {
    return complain(e.what(), kUsage);
  } catch (const std::bad_alloc&) {
    return complain("out of memory; use a smaller batch, size or base", kUsage);
  } catch (const std::filesystem::filesystem_error& e) {
    return complain(
        fmt::format("{}: {}; choose a place that you may read and write", e.path1().string(), e.code().message()),
        kData);
  } catch (const std::system_error& e) {
    // The work was done: what is printed comes last.
    return e.code() == std::errc::broken_pipe ? kOk : complain(e.what(), kData);
  } catch (const std::exception& e) {
    // Every other failure comes from files: data, checkpoints, a disk that is full.
    return complain(e.what(), kData);
  }
}
