/// Enums and their texts. An enum that people read or write has one line beside it:
///   constexpr auto names(Device) { return Names{"device", {"reference", "cpu", "cuda", "plan"}}; }
/// with a text for each value, in the order of the values, which count from 0.
#pragma once
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tensor {

template <size_t N>
struct Names {
  const char* kind;  ///< what the values are, for errors
  const char* text[N];
  constexpr Names(const char* kind, const char* const (&texts)[N]) : kind(kind), text{} {
    for (size_t i = 0; i < N; ++i) text[i] = texts[i];
  }
  static constexpr size_t size = N;
};

template <class E>
concept NamedEnum = requires(E e) {
  names(e).kind;
};

/// "a, b or c"
std::string alternatives(const std::vector<std::string>& texts);
/// Throws Error: device "gpu" is unknown: choose reference, cpu, cuda or plan.
[[noreturn]] void refuse_name(const char* kind, std::string_view text, const std::vector<std::string>& choices);

/// The text of a value; "?" for a number that no value has.
template <NamedEnum E>
constexpr const char* name(E e) {
  const auto all = names(e);
  return size_t(e) < all.size ? all.text[size_t(e)] : "?";
}

/// Every value, in order.
template <NamedEnum E>
constexpr auto values() {
  std::array<E, decltype(names(E{}))::size> all{};
  for (size_t i = 0; i < all.size(); ++i) all[i] = E(i);
  return all;
}

/// Every text, in order.
template <NamedEnum E>
std::vector<std::string> choices() {
  std::vector<std::string> texts;
  for (const E e : values<E>()) texts.push_back(name(e));
  return texts;
}

/// The value that has this text. Throws Error naming the choices.
template <NamedEnum E>
E parse(std::string_view text) {
  for (const E e : values<E>())
    if (text == name(e)) return e;
  refuse_name(names(E{}).kind, text, choices<E>());
}

}  // namespace tensor
