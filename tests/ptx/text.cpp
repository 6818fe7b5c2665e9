#include "tests/ptx/text.h"

#include <stdexcept>

namespace ptx {

std::string without_comments(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "//") == 0) {
      while (i < text.size() && text[i] != '\n') ++i;
      out += '\n';
    } else if (text.compare(i, 2, "/*") == 0) {
      i = text.find("*/", i) + 1;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string trimmed(std::string_view s) {
  const size_t begin = s.find_first_not_of(" \t\r\n"), end = s.find_last_not_of(" \t\r\n");
  return begin == std::string_view::npos ? "" : std::string(s.substr(begin, end - begin + 1));
}

size_t behind_bracket(const std::string& s, size_t open) {
  int depth = 0;
  for (size_t i = open; i < s.size(); ++i) {
    depth += s[i] == '(' || s[i] == '{' || s[i] == '[';
    depth -= s[i] == ')' || s[i] == '}' || s[i] == ']';
    if (depth == 0) return i + 1;
  }
  throw std::runtime_error("ptx: a bracket is not closed");
}

std::vector<std::string> parts(const std::string& s) {
  std::vector<std::string> out;
  size_t begin = 0;
  for (size_t i = 0; i <= s.size(); ++i) {
    if (i < s.size() && (s[i] == '(' || s[i] == '{' || s[i] == '[')) i = behind_bracket(s, i) - 1;
    if (i < s.size() && s[i] != ',') continue;
    if (const std::string part = trimmed(std::string_view(s).substr(begin, i - begin)); !part.empty())
      out.push_back(part);
    begin = i + 1;
  }
  return out;
}

std::vector<std::string> words(const std::string& s) {
  std::vector<std::string> out;
  for (size_t i = s.find_first_not_of(" \t\r\n"); i != std::string::npos;) {
    const size_t end = s.find_first_of(" \t\r\n", i);
    out.push_back(s.substr(i, end - i));
    i = s.find_first_not_of(" \t\r\n", end);
  }
  return out;
}

std::vector<std::string> statements(const std::string& body) {
  std::vector<std::string> out;
  for (size_t i = 0; (i = body.find_first_not_of(" \t\r\n", i)) != std::string::npos;) {
    if (body[i] == '{' || body[i] == '}') {
      out.emplace_back(1, body[i++]);
      continue;
    }
    const size_t end = body.find_first_of(";:", i);
    if (end == std::string::npos) throw std::runtime_error("ptx: a statement has no end: " + body.substr(i, 80));
    out.push_back(trimmed(std::string_view(body).substr(i, end - i)) + (body[end] == ':' ? ":" : ""));
    i = end + 1;
  }
  return out;
}

}  // namespace ptx
