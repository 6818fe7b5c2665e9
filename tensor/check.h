/// Two kinds of check. `check` guards contracts between functions: its message names the op, the shapes and the source
/// line. `require` guards what people supply: its message names their file or flag, never a source line.
#pragma once
#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <type_traits>

namespace tensor {

/// Every failure that the framework reports: a broken contract, with a message for a person.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A format string that remembers the line that wrote it.
template <class... A>
struct LocatedFormat {
  fmt::format_string<const A&...> text;
  const char* file;
  int line;
  template <class S>
  consteval LocatedFormat(const S& s, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : text(s), file(file), line(line) {}
};

/// For contracts between functions: throws Error with the formatted message and the caller's file and line unless `ok`.
template <class... A>
void check(bool ok, LocatedFormat<std::type_identity_t<A>...> message, const A&... args) {
  if (ok) [[likely]]
    return;
  std::string file = message.file;
  file.erase(0, file.find_last_of('/') + 1);
  throw Error(fmt::format("{} ({}:{})", fmt::format(message.text, args...), file, message.line));
}

/// For files and settings that people give: throws Error with the formatted message unless `ok`.
template <class... A>
void require(bool ok, fmt::format_string<const A&...> message, const A&... args) {
  if (!ok) throw Error(fmt::format(message, args...));
}

}  // namespace tensor
