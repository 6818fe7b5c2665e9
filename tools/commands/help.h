/// What commands say of themselves: one table of options makes --help, the manual pages and the shells' completions.
#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace tools {

/// An option, flag or positional argument, as a person reads it.
struct OptionHelp {
  std::vector<std::string> flags;    ///< "-o", "--out"; empty: positional
  std::string value;                 ///< "DIR"; empty: takes none
  std::string text;                  ///< what it means, its choices or range and its default
  std::vector<std::string> choices;  ///< where the value is one of a few
  bool required = false;
  /// "-o, --out DIR"
  std::string heading() const;
};
/// In the order in which they were added; --help last.
std::vector<OptionHelp> options_of(const CLI::App& app);
/// Its subcommands, without hidden ones.
std::vector<const CLI::App*> commands_of(const CLI::App& app);
/// "cris data check"
std::string full_name(const CLI::App& app);
/// "cris data check [options] DIR"
std::string usage_of(const CLI::App& app);
/// Adds a line that a person could type, without "cris ".
void add_example(CLI::App& app, const std::string& command);
/// The lines that were added.
std::vector<std::string> examples_of(const CLI::App& app);

/// `text` in lines of at most `width` columns, the later ones behind `indent` blanks.
std::string wrapped(const std::string& text, size_t indent, size_t width = 80);

/// --help, in 80 columns.
class HelpFormatter : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
};

/// The one of `known` that is nearest to `typed` by the letters that must change; "" where none is near.
std::string nearest_name(const std::string& typed, const std::vector<std::string>& known);

}  // namespace tools
