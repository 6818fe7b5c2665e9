/// Cutting PTX text into pieces.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace ptx {

std::string without_comments(const std::string& text);
std::string trimmed(std::string_view s);
/// The place behind the bracket that closes the one at `open`.
size_t behind_bracket(const std::string& s, size_t open);
/// Parts between commas outside of brackets, trimmed; none of an empty text.
std::vector<std::string> parts(const std::string& s);
/// Words between blanks.
std::vector<std::string> words(const std::string& s);
/// A body's statements without their semicolons, labels as "name:", and "{" and "}" where a scope begins and ends.
std::vector<std::string> statements(const std::string& body);

}  // namespace ptx
