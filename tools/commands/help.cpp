/// CLI11 knows names, defaults and checks; here they become sentences.
#include "tools/commands/help.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "cris/run/nearest.h"
#include "data/files.h"

namespace tools {

namespace {

constexpr size_t kTextColumn = 26;

/// CLI11's name of a type is "TEXT:{a,b}" or "INT:INT in [0 - 9]": the choices, or the range in words.
void read_type(const std::string& type, OptionHelp& o, std::string& limits) {
  const size_t brace = type.find('{'), bracket = type.find(" in [");
  if (brace != std::string::npos) {
    std::istringstream list(type.substr(brace + 1, type.find('}') - brace - 1));
    for (std::string choice; std::getline(list, choice, ',');) o.choices.push_back(choice);
  } else if (bracket != std::string::npos) {
    const std::string range = type.substr(bracket + 5, type.find(']') - bracket - 5);
    const size_t dash = range.find(" - ");
    const std::string low = range.substr(0, dash), high = range.substr(dash + 3);
    limits = high.size() > 15 ? low + " or more" : low + " to " + high;
  }
  if (o.value.empty()) o.value = type.starts_with("TEXT") ? "TEXT" : type.starts_with("FLOAT") ? "X" : "N";
}

OptionHelp help_of(const CLI::Option& option) {
  OptionHelp o;
  for (const std::string& s : option.get_snames()) o.flags.push_back("-" + s);
  for (const std::string& l : option.get_lnames()) o.flags.push_back("--" + l);
  o.required = option.get_required();
  std::string limits;
  const std::string type = option.get_type_name();
  if (option.get_items_expected_max() != 0) {
    const std::string own = type.substr(0, type.find(':'));
    if (o.flags.empty())
      o.value = option.get_name(true);
    else if (own != "TEXT" && own != "INT" && own != "UINT" && own != "FLOAT")
      o.value = own;
    read_type(type, o, limits);
    if (option.get_items_expected_max() > 1 && o.flags.empty()) o.value += "...";
  }
  std::vector<std::string> facts;
  if (!o.choices.empty()) facts.push_back(fmt::format("{}", fmt::join(o.choices, ", ")));
  if (!limits.empty()) facts.push_back(limits);
  const std::string start = option.get_default_str();
  if (!start.empty() && start != "[]") facts.push_back("default " + start);
  if (o.required && !o.flags.empty()) facts.push_back("needed");
  o.text = option.get_description();
  if (!facts.empty()) o.text += fmt::format(" [{}]", fmt::join(facts, "; "));
  return o;
}

}  // namespace

std::string OptionHelp::heading() const {
  if (flags.empty()) return value;
  return fmt::format("{}{}{}", fmt::join(flags, ", "), value.empty() ? "" : " ", value);
}

std::vector<OptionHelp> options_of(const CLI::App& app) {
  std::vector<OptionHelp> all;
  for (const CLI::Option* option : app.get_options())
    if (option != app.get_help_ptr() && !option->get_group().empty()) all.push_back(help_of(*option));
  std::stable_partition(all.begin(), all.end(), [](const OptionHelp& o) { return o.flags.empty(); });
  all.push_back({.flags = {"-h", "--help"}, .value = {}, .text = "print this and end", .choices = {}});
  return all;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  std::vector<const CLI::App*> shown;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!sub->get_group().empty()) shown.push_back(sub);
  return shown;
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() ? full_name(*app.get_parent()) + " " + app.get_name() : app.get_name();
}

std::string usage_of(const CLI::App& app) {
  std::string usage = full_name(app);
  if (!commands_of(app).empty() && app.get_require_subcommand_min() > 0) return usage + " COMMAND ...";
  usage += " [options]";
  for (const OptionHelp& o : options_of(app)) {
    if (o.flags.empty()) usage += o.required ? " " + o.value : " [" + o.value + "]";
    if (!o.flags.empty() && o.required) usage += fmt::format(" {} {}", o.flags.front(), o.value);
  }
  return usage;
}

void add_example(CLI::App& app, const std::string& command) {
  const std::string before = app.get_footer();
  app.footer(before + (before.empty() ? "" : "\n") + "cris " + command);
}

std::vector<std::string> examples_of(const CLI::App& app) { return data::lines_of(app.get_footer()); }

std::string wrapped(const std::string& text, size_t indent, size_t width) {
  std::string lines;
  size_t column = indent;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (column > indent && column + 1 + word.size() > width) lines += "\n" + std::string(indent, ' '), column = indent;
    if (column > indent) lines += " ", ++column;
    lines += word, column += word.size();
  }
  return lines;
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string /*name*/, CLI::AppFormatMode /*mode*/) const {
  const auto row = [](const std::string& heading, const std::string& text) {
    const bool fits = heading.size() + 4 <= kTextColumn;
    return fmt::format("  {}{}{}\n", heading,
                       fits ? std::string(kTextColumn - 2 - heading.size(), ' ') : "\n" + std::string(kTextColumn, ' '),
                       wrapped(text, kTextColumn));
  };
  std::string help = fmt::format("{}\n\nUsage: {}\n",
                                 wrapped((app->get_parent() ? full_name(*app) + ": " : "") + app->get_description(), 2),
                                 wrapped(usage_of(*app), 7));
  const auto commands = commands_of(*app);
  if (!commands.empty()) help += "\nCommands:\n";
  for (const CLI::App* c : commands) help += row(c->get_name(), c->get_description());
  const auto options = options_of(*app);
  if (options.front().flags.empty()) help += "\n";
  bool positional = true;
  for (const OptionHelp& o : options) {
    if (positional && !o.flags.empty()) help += "\nOptions:\n", positional = false;
    help += row(o.heading(), o.text);
  }
  const auto examples = examples_of(*app);
  if (!examples.empty()) help += examples.size() == 1 ? "\nExample:\n" : "\nExamples:\n";
  for (const std::string& line : examples) help += "  " + line + "\n";
  if (!commands.empty()) help += fmt::format("\n{} COMMAND --help says more of each.\n", full_name(*app));
  return help;
}

std::string nearest_name(const std::string& typed, const std::vector<std::string>& known) {
  std::string best;
  size_t least = std::max<size_t>(2, typed.size() / 3) + 1;
  for (const std::string& name : known) {
    const bool begins = typed.size() > 2 && name.starts_with(typed);
    const size_t distance = begins ? 1 : cris::edit_distance(typed, name);
    if (distance < least) least = distance, best = name;
  }
  return best;
}

}  // namespace tools
