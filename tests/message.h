/// The words of an error.
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
