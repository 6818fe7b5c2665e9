/// Each file becomes a list of places and values, so that one loop compares them all.
#include "cris/report/first_difference.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>
#include <vector>

#include "cris/run/csv.h"
#include "nn/json_text.h"
#include "tensor/machine/atomic_file.h"

namespace cris {

namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

Values values_of_json(const std::string& text) {
  Values values;
  const auto flat = nn::parse_json<nlohmann::ordered_json>(text).flatten();
  for (const auto& [place, value] : flat.items()) values.emplace_back(place, value.dump());
  return values;
}

Values values_of_csv(const std::string& path) {
  const Rows rows = read_csv(path, true);
  Values values = {{"line 1", fmt::format("{}", fmt::join(rows[0], ","))}};
  for (size_t i = 1; i < rows.size(); ++i)
    for (size_t c = 0; c < rows[i].size(); ++c)
      values.emplace_back(fmt::format("line {} ({}), column {}", i + 1, rows[i][0], rows[0][c]), rows[i][c]);
  return values;
}

bool alike(const std::string& recorded, const std::string& recomputed, double tolerance) {
  if (recorded == recomputed) return true;
  const auto a = to_number(recorded), b = to_number(recomputed);
  return a && b && std::abs(*a - *b) <= tolerance * std::max(1.0, std::abs(*b)) && tolerance > 0;
}

std::string first_of(const Values& recorded, const Values& recomputed, double tolerance) {
  for (size_t i = 0; i < std::max(recorded.size(), recomputed.size()); ++i) {
    if (i >= recomputed.size()) return fmt::format("{}: recorded, and not found again", recorded[i].first);
    const auto& [place, value] = recomputed[i];
    if (i >= recorded.size()) return fmt::format("{}: not recorded, recomputed {}", place, value);
    if (recorded[i].first != place)
      return fmt::format("{} is recorded where {} was recomputed", recorded[i].first, place);
    if (!alike(recorded[i].second, value, tolerance))
      return fmt::format("{}: recorded {}, recomputed {}", place, recorded[i].second, value);
  }
  return "";
}

}  // namespace

std::string first_difference_json(const std::string& recorded, const std::string& recomputed, double tolerance) {
  if (recorded == recomputed) return "";
  const std::string found = first_of(values_of_json(recorded), values_of_json(recomputed), tolerance);
  return found.empty() && tolerance == 0 ? "the values are the same, the text is not" : found;
}

std::string first_difference(const std::string& recorded, const std::string& recomputed, double tolerance) {
  try {
    if (!std::filesystem::exists(recorded)) return "is missing";
    const std::string before = tensor::read_file(recorded), now = tensor::read_file(recomputed);
    if (before == now) return "";
    if (recorded.ends_with(".json")) return first_difference_json(before, now, tolerance);
    if (!recorded.ends_with(".csv")) return tolerance > 0 ? "" : "other bytes than those recomputed";
    const std::string found = first_of(values_of_csv(recorded), values_of_csv(recomputed), tolerance);
    return found.empty() && tolerance == 0 ? "the values are the same, the text is not" : found;
  } catch (const tensor::Error& e) {
    return e.what();
  }
}

}  // namespace cris
