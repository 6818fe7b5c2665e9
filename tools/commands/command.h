/// A subcommand of the program: each tools/NAME.cpp defines one static Command, and cris.cpp offers them all.
#pragma once
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tensor/names.h"
#include "tools/commands/help.h"

namespace tools {

/// What the program tells the shell.
enum ExitCode { kOk = 0, kUsage = 2, kData = 3, kNonFinite = 4, kVerification = 5, kStopped = 85 };

/// A failure with an exit code of its own; other exceptions map to codes in cris.cpp.
struct Failure : std::runtime_error {
  template <class... A>
  Failure(ExitCode code, fmt::format_string<const A&...> message, const A&... args)
      : std::runtime_error(fmt::format(message, args...)), code(code) {}
  ExitCode code;
};

/// As CLI11 names the type of a text that is one of these: help.h reads it.
inline std::string choices_type(const std::vector<std::string>& choices) {
  std::string type;
  for (const std::string& c : choices) type += (type.empty() ? "TEXT:{" : ",") + c;
  return type + "}";
}

/// A share or a probability: a number from 0 to 1, which NaN is not.
inline CLI::Validator from_0_to_1() {
  const auto check = [](const std::string& text) {
    double value = 0;
    const bool fits = CLI::detail::lexical_cast(text, value) && value >= 0 && value <= 1;
    return fits ? std::string() : fmt::format("Value {} not in range [0 - 1]", text);
  };
  return {check, "FLOAT in [0 - 1]", ""};
}

/// An option whose value is an enum, given by name; its present value is the default.
template <tensor::NamedEnum E>
CLI::Option* add_choice(CLI::App& app, const std::string& flag, E& value, const std::string& help,
                        const std::vector<std::string>& choices = tensor::choices<E>()) {
  const auto set = [&value, flag, choices](const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) == choices.end())
      throw CLI::ValidationError(flag,
                                 fmt::format("\"{}\" is unknown: choose {}", text, tensor::alternatives(choices)));
    value = tensor::parse<E>(text);
  };
  return app.add_option_function<std::string>(flag, set, help)
      ->type_name(choices_type(choices))
      ->default_str(tensor::name(value));
}

/// An option that may be given several times, with one value each time.
inline CLI::Option* add_repeatable(CLI::App& app, const std::string& flag, std::vector<std::string>& values,
                                   const std::string& help) {
  return app.add_option(flag, values, help)->take_all()->expected(1)->allow_extra_args(false);
}

/// Before a command writes `path`: cris::check_outputs, and a file keeps the promise of its name. Throws
/// Failure(kUsage) when it ends in another extension than `wanted`, as ".html"; without one any name will do. `kind` is
/// for the message.
void require_output(const std::string& path, const std::string& wanted = ".html", const char* kind = "an HTML page");

/// Runs the chosen subcommand; returns an ExitCode.
using Run = std::function<int()>;
/// Adds options to `app` and returns what to run once they are parsed. State that options write to is kept by the
/// returned function (a shared_ptr to a struct of options).
using Setup = Run (*)(CLI::App& app);

struct Command {
  /// `rank` orders the list in --help.
  Command(int rank, const char* name, const char* description, Setup setup);
  int rank;
  const char *name, *description;
  Setup setup;
};
/// All of them, by rank.
std::vector<const Command*> commands();

}  // namespace tools
