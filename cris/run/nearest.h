/// How far a mistyped name is from one that exists.
#pragma once
#include <string>

namespace cris {

/// The fewest letters to insert, remove or replace that turn `a` into `b`. Source: Levenshtein 1966.
size_t edit_distance(const std::string& a, const std::string& b);

}  // namespace cris
