/// cris complete, cris man: completions and manual pages, for whoever packages or installs the program.
#include <fmt/ranges.h>

#include <map>

#include "cris/run/build_facts.h"
#include "cris/run/outputs.h"
#include "data/files.h"
#include "tensor/machine/atomic_file.h"
#include "tools/commands/command.h"
#include "tools/commands/help.h"

namespace tools {

namespace {

/// Calls f(app, its words behind "cris": "data check") for the program and all its commands.
template <class F>
void for_each_command(const CLI::App& app, const F& f, const std::string& words = "") {
  f(app, words);
  for (const CLI::App* sub : commands_of(app))
    for_each_command(*sub, f, words + (words.empty() ? "" : " ") + sub->get_name());
}

/// All that may stand behind these words: commands and flags.
std::string words_after(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* sub : commands_of(app)) words.push_back(sub->get_name());
  for (const OptionHelp& o : options_of(app)) words.insert(words.end(), o.flags.begin(), o.flags.end());
  return fmt::format("{}", fmt::join(words, " "));
}

std::string bash_completion(const CLI::App& root) {
  std::string commands, choices, known;
  for_each_command(root, [&](const CLI::App& app, const std::string& words) {
    if (!words.empty()) known += (known.empty() ? "" : "|") + fmt::format("\"{}\"", words);
    commands += fmt::format("    \"{}\") words=\"{}\" ;;\n", words, words_after(app));
    for (const OptionHelp& o : options_of(app))
      if (!o.choices.empty() && !o.flags.empty())
        choices += fmt::format("    \"{} {}\") words=\"{}\" ;;\n", words, o.flags.back(), fmt::join(o.choices, " "));
  });
  return "# Completion of cris for bash; made by `cris complete bash`.\n"
         "_cris() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= words= i\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    [[ ${COMP_WORDS[i]} == -* ]] && break\n"
         "    case \"${command:+$command }${COMP_WORDS[i]}\" in\n"
         "      " +
         known +
         ") command=\"${command:+$command }${COMP_WORDS[i]}\" ;;\n"
         "      *) break ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$command $before\" in\n" +
         choices +
         "  esac\n"
         "  [[ $words ]] || case \"$command\" in\n" +
         commands +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "}\n"
         "complete -o default -F _cris cris\n";
}

/// In single quotes, for both shells.
std::string quoted(const std::string& text, const char* quote) {
  std::string y = "'";
  for (const char c : text) y += c == '\'' ? quote : std::string(1, c);
  return y + "'";
}

std::string zsh_completion(const CLI::App& root) {
  std::string cases, known;
  for_each_command(root, [&](const CLI::App& app, const std::string& words) {
    std::string items;
    const auto add = [&](const std::string& word, const std::string& text) {
      std::string item;
      for (const char c : word) item += c == ':' ? std::string("\\:") : std::string(1, c);
      items += " " + quoted(item + ":" + text, "'\\''");
    };
    for (const CLI::App* sub : commands_of(app)) add(sub->get_name(), sub->get_description());
    for (const OptionHelp& o : options_of(app))
      for (const std::string& flag : o.flags) add(flag, o.text);
    cases += fmt::format("    {}) items=({}) ;;\n", quoted(words, ""), items);
    if (!words.empty()) known += (known.empty() ? "" : "|") + quoted(words, "");
    for (const OptionHelp& o : options_of(app))
      if (!o.choices.empty() && !o.flags.empty())
        cases = fmt::format("    {}) compadd -- {}; return ;;\n", quoted(words + "|" + o.flags.back(), ""),
                            fmt::join(o.choices, " ")) +
                cases;
  });
  return "#compdef cris\n# Completion of cris for zsh; made by `cris complete zsh`.\n"
         "_cris() {\n"
         "  local command= word i\n"
         "  local -a items\n"
         "  for ((i = 2; i < CURRENT; ++i)); do\n"
         "    word=\"${command:+$command }${words[i]}\"\n"
         "    case \"$word\" in\n"
         "      " +
         known +
         ") command=\"$word\" ;;\n"
         "      *) break ;;\n"
         "    esac\n"
         "  done\n"
         "  for word in \"$command|${words[CURRENT-1]}\" \"$command\"; do\n"
         "    case \"$word\" in\n" +
         cases +
         "    esac\n"
         "  done\n"
         "  _describe 'cris' items\n"
         "  _files\n"
         "}\n"
         "_cris \"$@\"\n";
}

std::string fish_completion(const CLI::App& root) {
  std::string lines = "# Completion of cris for fish; made by `cris complete fish`.\n";
  for_each_command(root, [&](const CLI::App& app, const std::string& words) {
    std::string when = "__fish_use_subcommand";
    if (!words.empty()) {
      when.clear();
      for (const CLI::App* at = &app; at->get_parent(); at = at->get_parent())
        when = "__fish_seen_subcommand_from " + at->get_name() + (when.empty() ? "" : "; and " + when);
    }
    const std::string head = fmt::format("complete -c cris -n {}", quoted(when, ""));
    for (const CLI::App* sub : commands_of(app))
      lines += fmt::format("{} -f -a {} -d {}\n", head, sub->get_name(), quoted(sub->get_description(), "\\'"));
    for (const OptionHelp& o : options_of(app)) {
      if (o.flags.empty()) continue;
      lines += head;
      for (const std::string& flag : o.flags)
        lines += flag.starts_with("--") ? " -l " + flag.substr(2) : " -s " + flag.substr(1);
      if (!o.value.empty()) lines += o.choices.empty() ? " -r" : fmt::format(" -x -a '{}'", fmt::join(o.choices, " "));
      lines += fmt::format(" -d {}\n", quoted(o.text, "\\'"));
    }
  });
  return lines;
}

/// Text in a manual page: a backslash, and a dot or quote at the start of a line, would be commands.
std::string roff(const std::string& text) {
  std::string y;
  for (const char c : text) y += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
  return (y.starts_with(".") || y.starts_with("'") ? "\\&" : "") + y;
}

std::string manual_page(const CLI::App& app, const std::string& title) {
  std::string upper = title;
  for (char& c : upper) c = char(std::toupper(static_cast<unsigned char>(c)));
  std::string page =
      fmt::format(".TH {} 1 \"\" \"cris {}\" \"User commands\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n{}\n", roff(upper),
                  cris::build_facts().version, roff(title), roff(app.get_description()), roff(usage_of(app)));
  const auto row = [&](const std::string& heading, const std::string& text) {
    page += fmt::format(".TP\n.B {}\n{}\n", roff(heading), roff(text));
  };
  const auto commands = commands_of(app);
  if (!commands.empty()) page += ".SH COMMANDS\n";
  for (const CLI::App* c : commands) row(title + "-" + c->get_name() + "(1)", c->get_description());
  page += ".SH OPTIONS\n";
  for (const OptionHelp& o : options_of(app)) row(o.heading(), o.text);
  const auto examples = examples_of(app);
  if (!examples.empty()) page += ".SH EXAMPLES\n";
  for (const std::string& line : examples) page += ".PP\n" + roff(line) + "\n";
  page +=
      ".SH EXIT STATUS\n0 done; 2 the command line or the configuration is wrong; 3 a file is wrong; 4 a value is not "
      "finite; 5 a verification failed; 85 stopped by a signal, the same command goes on.\n";
  return page;
}

const CLI::App& root_of(const CLI::App& app) { return *app.get_parent(); }

Run setup_complete(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  app.group("");
  app.add_option("SHELL", *shell, "for which to print completions")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  add_example(app, "complete bash > /etc/bash_completion.d/cris");
  return [shell, &app] {
    const CLI::App& root = root_of(app);
    fmt::print("{}", *shell == "bash"  ? bash_completion(root)
                     : *shell == "zsh" ? zsh_completion(root)
                                       : fish_completion(root));
    return int(kOk);
  };
}

Run setup_man(CLI::App& app) {
  auto folder = std::make_shared<std::string>();
  app.group("");
  app.add_option("DIR", *folder, "where to write the manual pages, cris.1 and one a command")->required();
  add_example(app, "man share/man/man1");
  return [folder, &app] {
    std::map<std::string, std::string> pages;
    std::vector<std::string> paths;
    for_each_command(root_of(app), [&](const CLI::App& command, const std::string& words) {
      std::string title = "cris" + (words.empty() ? "" : "-" + words);
      std::replace(title.begin(), title.end(), ' ', '-');
      paths.push_back(*folder + "/" + title + ".1");
      pages[paths.back()] = manual_page(command, title);
    });
    cris::check_outputs(paths);
    data::create_folder(*folder);
    for (const auto& [path, page] : pages) tensor::write_file_atomically(path, page);
    return int(kOk);
  };
}

const Command complete(200, "complete", "print completions for a shell", setup_complete);
const Command man(201, "man", "write manual pages", setup_man);

}  // namespace

}  // namespace tools
