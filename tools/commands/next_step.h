/// The line about what to type next.
#pragma once
#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "cris/run/shell_word.h"

namespace tools {

/// "next: COMMAND" on stderr, where a person sees it and no script reads it. The command can be pasted, so paths are
/// given as cris::shell_word.
template <class... A>
void next_step(fmt::format_string<A...> command, A&&... args) {
  std::fflush(stdout);  // after the results, where both are one terminal
  std::fputs(("next: " + fmt::format(command, std::forward<A>(args)...) + "\n").c_str(), stderr);
}

}  // namespace tools
