/// The report of a data set in words.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "data/integrity.h"

namespace data {

namespace {

std::string join(const std::vector<std::string>& names, size_t most, const char* between = ", ") {
  std::string text;
  for (size_t i = 0; i < std::min(most, names.size()); ++i) text += (i ? between : "") + names[i];
  if (names.size() > most) text += fmt::format(", and {} more", names.size() - most);
  return text;
}

int64_t share_of(const std::array<int64_t, 256>& values, int first, int last) {
  return std::accumulate(values.begin() + first, values.begin() + last + 1, int64_t(0));
}

/// The values on either side of the threshold: 8 and 247 say that nothing lies between.
std::string nearest_to_the_middle(const std::array<int64_t, 256>& values) {
  int dark = kMaskThreshold - 1, bright = kMaskThreshold;
  while (dark > 0 && values[size_t(dark)] == 0) --dark;
  while (bright < 255 && values[size_t(bright)] == 0) ++bright;
  return bright - dark > 1 ? fmt::format("nothing between {} and {}", dark, bright) : "values up to the threshold";
}

}  // namespace

std::string report_text(const IntegrityReport& r, size_t most_names) {
  std::string text;
  // A value of several lines stands in its own column.
  const auto line = [&](const char* label, const std::string& value) {
    text += fmt::format("{:<18}", label);
    for (const char c : value) text += c == '\n' ? "\n" + std::string(18, ' ') : std::string(1, c);
    text += '\n';
  };
  const auto list = [&](const char* label, const std::vector<std::string>& names, const char* remark) {
    line(label, names.empty() ? "none" : fmt::format("{}: {}{}", names.size(), join(names, most_names), remark));
  };
  line("folder", r.folder);
  line("pairs", std::to_string(r.pairs));
  if (!r.sizes.empty()) {
    const auto area = [](const auto& entry) { return entry.first.first * entry.first.second; };
    const auto smaller = [&](const auto& x, const auto& y) { return area(x) < area(y); };
    const auto [least, most] = std::minmax_element(r.sizes.begin(), r.sizes.end(), smaller);
    const auto common = std::max_element(r.sizes.begin(), r.sizes.end(),
                                         [](const auto& x, const auto& y) { return x.second < y.second; });
    const auto size = [](const auto& entry) { return fmt::format("{} x {}", entry.first.first, entry.first.second); };
    line("sizes", fmt::format("{}, from {} to {}; {} pairs of {}", r.sizes.size(), size(*least), size(*most),
                              common->second, size(*common)));
    const double all = double(share_of(r.mask_values, 0, 255)) / 100;
    const auto percent = [&](int first, int last) {
      return fmt::format("{}: {:.3f} %", first == last ? std::to_string(first) : fmt::format("{}..{}", first, last),
                         double(share_of(r.mask_values, first, last)) / all);
    };
    line("mask values",
         fmt::format("{}, {}; {}\n{}, {}, {}", percent(0, 0), percent(255, 255), nearest_to_the_middle(r.mask_values),
                     percent(1, kRinging), percent(kRinging + 1, 254 - kRinging), percent(255 - kRinging, 254)));
    line("masks",
         fmt::format("{} strictly 0 and 255;\n{} with JPEG ringing (within {} of 0 or 255);\n"
                     "{} with other values{}; thresholded at {}",
                     r.binary_masks, r.ringing_masks, kRinging, r.soft_masks.size(),
                     r.soft_masks.empty() ? "" : " (" + join(r.soft_masks, most_names) + ")", int(kMaskThreshold)));
    line("polyp area", fmt::format("{:.2f} % to {:.2f} %, median {:.2f} %, mean {:.2f} %", 100 * r.least_coverage,
                                   100 * r.most_coverage, 100 * r.median_coverage, 100 * r.mean_coverage));
  }
  const bool all_empty = r.pairs > 0 && int64_t(r.empty_masks.size()) == r.pairs;
  list("empty masks", r.empty_masks, all_empty ? "; EVERY mask is empty: there is nothing to learn" : "");
  list("full masks", r.full_masks, "");
  for (const auto& [remark, files] : r.remarks)
    line("remark", fmt::format("{}: {}: {}", remark, files.size(), join(files, most_names)));
  if (!r.passed_over.empty()) list("passed over", r.passed_over, "; only PNG, JPEG, BMP and TIFF files are read");
  std::vector<std::string> groups;
  for (const auto& names : r.duplicates) groups.push_back(join(names, names.size(), " = "));
  list("equal images", groups, "");
  std::vector<std::string> alike;
  std::set<std::string> concerned;
  for (const NearDuplicate& n : r.near_duplicates) {
    alike.push_back(fmt::format("{} ~ {} ({:.4f})", n.a, n.b, n.similarity));
    concerned.insert({n.a, n.b});
  }
  line("near-duplicates", alike.empty() ? "none"
                                        : fmt::format("{} pairs of {} images; keep a pair on one side of a split\n{}",
                                                      alike.size(), concerned.size(), join(alike, most_names, "\n")));
  line("fingerprint", r.fingerprint);
  line("refused", r.refused.empty() ? "none" : fmt::format("{} problems", r.refused.size()));
  for (const std::string& message : r.refused) text += "  " + message + "\n";
  return text;
}

}  // namespace data
