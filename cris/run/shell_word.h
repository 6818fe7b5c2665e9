/// Words of a command line that a person or a script is given.
#pragma once
#include <string>

namespace cris {

/// As a shell reads it back as one word: in quotes where it has to be.
inline std::string shell_word(const std::string& text) {
  if (!text.empty() && text.find_first_of(" \t\n'\"\\$&;|<>()*?`#~[]{}!") == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace cris
