/// Search spaces as text, as settings, and as Optuna's distributions.
#include "cris/study/search.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "cris/run/csv.h"

namespace cris {

namespace {

void require_search(bool ok, const std::string& specification, const std::string& why) {
  require_config(ok, "--search {}: {}", specification, why);
}

/// Trials of one study differ in the model and its training, not in what they are measured on.
bool is_fixed_in_a_study(const std::string& key) {
  for (const char* fixed : {"data.dir", "data.split", "data.split_seed", "data.protocol", "data.size", "data.cache",
                            "eval.size", "train.epochs", "train.overfit", "train.fast_dev_run", "train.start_from"})
    if (key == fixed) return true;
  return key.starts_with("run.");
}

double number_of(const std::string& specification, const std::string& text) {
  const std::optional<double> number = to_number(text);
  require_search(number && std::isfinite(*number), specification,
                 fmt::format("\"{}\" is not a number; write LOW..HIGH, as 1e-6..1e-2:log", text));
  return *number;
}

std::vector<std::string> split_choices(const std::string& text) {
  std::vector<std::string> choices(1);
  int depth = 0;
  for (const char c : text) {
    depth += c == '[' ? 1 : c == ']' ? -1 : 0;
    if (c == ',' && depth == 0)
      choices.emplace_back();
    else
      choices.back() += c;
  }
  return choices;
}

/// "train.learning_rate" -> its entry, which says what kind of number the setting is.
Key key_named(const std::string& specification, const std::string& name, Config& defaults) {
  for (const Key& key : keys(defaults))
    if (key.name == name) return key;
  set_config(defaults, name, "", fmt::format("--search {}", specification));  // names the nearest key
  throw ConfigError(name);
}

Dimension parse_dimension(const std::string& specification) {
  const size_t equals = specification.find('=');
  require_search(equals != std::string::npos && equals != 0, specification,
                 "write KEY=LOW..HIGH, KEY=LOW..HIGH:log or KEY=A,B,C");
  Dimension d{.name = specification.substr(0, equals)};
  std::string values = specification.substr(equals + 1);
  Config defaults;
  const Key key = key_named(specification, d.name, defaults);
  require_search(!is_fixed_in_a_study(d.name), specification,
                 "it says what trials are compared on or by whom: give it once, by --set");
  const size_t dots = values.find("..");
  if (dots == std::string::npos) {
    d.kind = Dimension::Kind::choice;
    d.choices = split_choices(values);
    require_search(d.choices.size() > 1, specification,
                   "that is one value, and nothing to search; write LOW..HIGH or A,B,C, or give it by --set");
    require_search(std::set(d.choices.begin(), d.choices.end()).size() == d.choices.size(), specification,
                   "a choice occurs twice; take it out");
    return d;
  }
  const bool whole = std::holds_alternative<int64_t*>(key.value);
  require_search(whole || std::holds_alternative<double*>(key.value), specification,
                 "this setting is not a number; list its choices: KEY=A,B,C");
  if (whole) d.kind = Dimension::Kind::whole;
  if (values.ends_with(":log")) d.log = true, values.resize(values.size() - 4);
  d.low = number_of(specification, values.substr(0, dots));
  d.high = number_of(specification, values.substr(dots + 2));
  require_search(!whole || (d.low == std::floor(d.low) && d.high == std::floor(d.high)), specification,
                 "this setting is a whole number; so are its bounds");
  require_search(d.low < d.high, specification, "the range is empty; write the smaller bound first");
  require_search(!d.log || d.low >= (whole ? 1.0 : 1e-300), specification,
                 "a range on the scale of the logarithm begins above 0; raise its lower bound");
  return d;
}

}  // namespace

std::string short_value(const std::string& value) {
  const std::optional<double> number = to_number(value);
  if (!number || value.size() < 10 || value.find('.') == std::string::npos) return value;
  const std::string rounded = fmt::format("{:.3g}", *number);
  return rounded.size() < value.size() ? rounded : value;
}

std::string Dimension::text(double value) const {
  if (kind == Kind::choice) {
    tensor::require(value >= 0 && value < double(choices.size()), "{}: there is no choice {} among its {}", name, value,
                    choices.size());
    return choices[size_t(value)];
  }
  return kind == Kind::whole ? fmt::format("{}", int64_t(value)) : fmt::format("{}", value);
}

bool Dimension::holds(double value) const {
  const bool whole = kind == Kind::real || value == std::floor(value);
  return kind == Kind::choice ? whole && value >= 0 && value < double(choices.size())
                              : whole && value >= low && value <= high;
}

std::string Dimension::distribution() const {
  using json = nlohmann::ordered_json;
  const auto text = [](const char* name, const json& attributes) {
    return json{{"name", name}, {"attributes", attributes}}.dump();
  };
  if (kind == Kind::real)
    return text("FloatDistribution", {{"step", nullptr}, {"low", low}, {"high", high}, {"log", log}});
  if (kind == Kind::whole)
    return text("IntDistribution", {{"log", log}, {"step", 1}, {"low", int64_t(low)}, {"high", int64_t(high)}});
  json list = json::array();
  for (const std::string& choice : choices) {
    const json value = json::parse(choice, nullptr, false);
    list.push_back(value.is_number() || value.is_boolean() ? value : json(choice));
  }
  return text("CategoricalDistribution", {{"choices", list}});
}

SearchSpace SearchSpace::parse(const std::vector<std::string>& specifications) {
  SearchSpace space;
  for (const std::string& s : specifications) {
    const Dimension d = parse_dimension(s);
    require_search(std::ranges::find(space.dimensions, d.name, &Dimension::name) == space.dimensions.end(), s,
                   "this setting is searched already; give it once");
    space.dimensions.push_back(d);
  }
  require_config(!space.dimensions.empty(), "nothing is searched; give --search KEY=LOW..HIGH");
  return space;
}

std::vector<std::string> SearchSpace::specifications() const {
  std::vector<std::string> texts;
  for (const Dimension& d : dimensions)
    texts.push_back(d.kind == Dimension::Kind::choice
                        ? fmt::format("{}={}", d.name, fmt::join(d.choices, ","))
                        : fmt::format("{}={}..{}{}", d.name, d.text(d.low), d.text(d.high), d.log ? ":log" : ""));
  return texts;
}

void SearchSpace::check(const Config& base) const {
  for (const Dimension& d : dimensions) {
    std::vector<double> ends = {d.low, d.high};
    if (d.kind == Dimension::Kind::choice) {
      ends.resize(d.choices.size());
      for (size_t i = 0; i < ends.size(); ++i) ends[i] = double(i);
    }
    for (const double end : ends) {
      Config c = base;
      const std::string where = fmt::format("--search {}", d.name);
      set_config(c, d.name, d.text(end), where);
      try {
        resolve_config(c);
      } catch (const ConfigError& e) {
        throw ConfigError(fmt::format("{} = {}: {}", where, d.text(end), e.what()));
      }
    }
  }
}

}  // namespace cris
