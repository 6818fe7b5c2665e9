/// JSON from files that a stranger may have written.
#pragma once
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tensor/check.h"

namespace nn {

/// `text` as a JSON value (nlohmann::json or ordered_json). Throws tensor::Error for what is no JSON, a name twice in
/// one object, or more than 16 levels: whoever prints or copies a value walks it by recursion, so depth is stack.
template <class Json>
Json parse_json(const std::string& text) {
  constexpr int kMaxDepth = 16;
  std::vector<std::set<std::string>> names;
  using Event = typename Json::parse_event_t;
  const auto look = [&](int depth, Event event, Json& value) {
    tensor::require(depth <= kMaxDepth, "JSON nested deeper than {} levels", kMaxDepth);
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end) names.pop_back();
    if (event == Event::key) {
      const auto name = value.template get<std::string>();
      tensor::require(names.back().insert(name).second, "the name \"{}\" occurs twice", name);
    }
    return true;
  };
  try {
    return Json::parse(text, look);
  } catch (const nlohmann::json::exception& e) {
    throw tensor::Error(fmt::format("no JSON ({})", e.what()));
  }
}

}  // namespace nn
