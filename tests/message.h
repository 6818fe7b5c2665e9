/// Words of errors and of other texts.
#pragma once
#include <doctest/doctest.h>

#include <string>

#include "tensor/check.h"

/// Runs `work` and returns the message of the E that it throws; fails the test when it throws nothing.
template <class E = tensor::Error, class F>
std::string message_of(F work) {
  try {
    work();
  } catch (const E& e) {
    return e.what();
  }
  FAIL("nothing was thrown");
  return {};
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

inline int count_of(const std::string& word, const std::string& text) {
  int n = 0;
  for (size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) ++n;
  return n;
}

/// With `to` in the first place of `from`, which the text holds.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(contains(text, from));
  return text.replace(text.find(from), from.size(), to);
}

/// Checks that the expression throws tensor::Error with a message that has these words.
#define CHECK_REFUSED(expression, words) CHECK_THROWS_WITH_AS(expression, doctest::Contains(words), tensor::Error)
