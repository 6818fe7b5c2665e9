/// JSON from files that a stranger may have written.
#pragma once
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tensor/check.h"

namespace nn {

constexpr size_t kMaxJsonDepth = 16;

/// `text` as a JSON value (nlohmann::json or ordered_json). Throws tensor::Error for text that is not JSON, a name
/// twice in one object, or more than 16 levels: whoever prints or copies a value walks it by recursion, so depth is
/// stack.
template <class Json>
Json parse_json(const std::string& text) {
  /// Looks at the text before a value is made of it; the parser's own callback takes time by the square of an object.
  struct Look : nlohmann::json_sax<Json> {
    std::vector<std::set<std::string>> names;
    bool open() {
      names.emplace_back();
      tensor::require(names.size() <= kMaxJsonDepth, "JSON nested deeper than {} levels", kMaxJsonDepth);
      return true;
    }
    bool close() {
      names.pop_back();
      return true;
    }
    bool key(std::string& name) override {
      tensor::require(names.back().insert(name).second, "the name \"{}\" occurs twice", name);
      return true;
    }
    bool start_object(size_t) override { return open(); }
    bool start_array(size_t) override { return open(); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(typename Json::number_integer_t) override { return true; }
    bool number_unsigned(typename Json::number_unsigned_t) override { return true; }
    bool number_float(typename Json::number_float_t, const std::string&) override { return true; }
    bool string(std::string&) override { return true; }
    bool binary(typename Json::binary_t&) override { return true; }
    bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) override { return false; }
  } look;
  try {
    Json::sax_parse(text, &look);
    return Json::parse(text);
  } catch (const nlohmann::json::exception& e) {
    throw tensor::Error(fmt::format("this is not JSON ({})", e.what()));
  }
}

}  // namespace nn
