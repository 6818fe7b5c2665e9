/// One pass over all pairs in parallel, then comparisons between images.
#include "data/integrity.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <set>

#include "data/format_error.h"
#include "data/hash.h"
#include "data/parallel.h"

namespace data {

namespace {

constexpr int64_t kThumbnailSide = 16;
using Thumbnail = std::array<float, kThumbnailSide * kThumbnailSide>;

/// What is kept of a pair once it was read.
struct Facts {
  std::string refusal, image_hash, mask_hash;
  int64_t width = 0, height = 0;
  std::array<int64_t, 256> mask_values{};
  Thumbnail thumbnail{};
  Remarks of_image, of_mask;
};

/// Zero mean, unit length: a dot product is then the correlation. A uniform image has the zero vector, similar to
/// nothing.
Thumbnail thumbnail(const Image& image) {
  const Image small = resize(image, kThumbnailSide, kThumbnailSide);
  Thumbnail t;
  double sum = 0, squares = 0;
  for (size_t i = 0; i < t.size(); ++i) {
    const uint8_t* c = &small.pixels[3 * i];
    t[i] = 0.299f * c[0] + 0.587f * c[1] + 0.114f * c[2];
    sum += t[i];
  }
  for (float& v : t) v -= float(sum / double(t.size()));
  for (const float v : t) squares += double(v) * v;
  const float scale = squares > 1 ? float(1 / std::sqrt(squares)) : 0;
  for (float& v : t) v *= scale;
  return t;
}

std::string pixel_hash(const Image& image) {
  const std::string extents = fmt::format("{} {} {}\n", image.height, image.width, image.channels);
  return sha256(extents + std::string(image.pixels.begin(), image.pixels.end()));
}

Facts examine(const Pair& pair) {
  Facts facts;
  try {
    const Sample sample = read_pair(pair, &facts.of_image, &facts.of_mask);
    facts.width = sample.image.width;
    facts.height = sample.image.height;
    for (const uint8_t v : sample.mask.pixels) ++facts.mask_values[v];
    facts.thumbnail = thumbnail(sample.image);
    facts.image_hash = pixel_hash(sample.image);
    facts.mask_hash = pixel_hash(sample.mask);
  } catch (const FormatError& e) {
    facts.refusal = e.what();
  }
  return facts;
}

void describe_mask(const std::string& name, const std::array<int64_t, 256>& values, IntegrityReport& report,
                   std::vector<double>& coverages) {
  const auto pixels_in = [&](int first, int last) {
    return std::accumulate(values.begin() + first, values.begin() + last + 1, int64_t(0));
  };
  const int64_t all = pixels_in(0, 255), on = pixels_in(kMaskThreshold, 255);
  if (values[0] + values[255] == all)
    ++report.binary_masks;
  else if (pixels_in(kRinging + 1, 254 - kRinging) == 0)
    ++report.ringing_masks;
  else
    report.soft_masks.push_back(name);
  if (on == 0) report.empty_masks.push_back(name);
  if (on == all) report.full_masks.push_back(name);
  coverages.push_back(double(on) / double(all));
}

void compare_images(const std::vector<Pair>& pairs, const std::vector<Facts>& facts, int threads,
                    IntegrityReport& report) {
  std::map<std::string, std::vector<std::string>> by_hash;
  for (size_t i = 0; i < pairs.size(); ++i)
    if (facts[i].refusal.empty()) by_hash[facts[i].image_hash].push_back(pairs[i].name);
  for (const auto& [hash, names] : by_hash)
    if (names.size() > 1) report.duplicates.push_back(names);
  std::sort(report.duplicates.begin(), report.duplicates.end());
  std::vector<std::vector<NearDuplicate>> found(pairs.size());
  for_each_index(int64_t(pairs.size()), threads, [&](int64_t i) {
    const Facts& a = facts[size_t(i)];
    for (size_t j = size_t(i) + 1; j < pairs.size(); ++j) {
      const Facts& b = facts[j];
      double similarity = 0;
      for (size_t k = 0; k < a.thumbnail.size(); ++k) similarity += double(a.thumbnail[k]) * b.thumbnail[k];
      if (similarity >= kNearDuplicate && a.image_hash != b.image_hash)
        found[size_t(i)].push_back({pairs[size_t(i)].name, pairs[j].name, similarity});
    }
  });
  for (const auto& list : found) report.near_duplicates.insert(report.near_duplicates.end(), list.begin(), list.end());
  std::stable_sort(report.near_duplicates.begin(), report.near_duplicates.end(),
                   [](const NearDuplicate& x, const NearDuplicate& y) { return x.similarity > y.similarity; });
}

}  // namespace

IntegrityReport check_dataset(const std::string& folder, int threads, const MaskRule& rule,
                              const std::function<void(int64_t, int64_t)>& told) {
  const Listing listing = list_dataset(folder, rule);
  const std::vector<Pair>& pairs = listing.dataset.pairs;
  IntegrityReport report;
  report.folder = folder;
  report.refused = listing.problems;
  report.passed_over = listing.passed_over;
  std::vector<Facts> facts(pairs.size());
  std::mutex one;
  int64_t done = 0;
  for_each_index(int64_t(pairs.size()), threads, [&](int64_t i) {
    facts[size_t(i)] = examine(pairs[size_t(i)]);
    const std::lock_guard lock(one);
    if (told) told(++done, int64_t(pairs.size()));
  });
  std::vector<double> coverages;
  std::string all_hashes;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const Facts& f = facts[i];
    if (!f.refusal.empty()) {
      report.refused.push_back(f.refusal);
      continue;
    }
    ++report.pairs;
    const auto inside = [&](const std::string& path) {
      return path.starts_with(folder + "/") ? path.substr(folder.size() + 1) : path;
    };
    for (const std::string& r : f.of_image) report.remarks[r].push_back(inside(pairs[i].image));
    for (const std::string& r : f.of_mask) report.remarks[r].push_back(inside(pairs[i].mask));
    ++report.sizes[{f.width, f.height}];
    for (size_t v = 0; v < f.mask_values.size(); ++v) report.mask_values[v] += f.mask_values[v];
    describe_mask(pairs[i].name, f.mask_values, report, coverages);
    all_hashes += pairs[i].name + "\n" + f.image_hash + "\n" + f.mask_hash + "\n";
  }
  report.fingerprint = sha256(all_hashes);
  if (!coverages.empty()) {
    std::sort(coverages.begin(), coverages.end());
    report.least_coverage = coverages.front();
    report.most_coverage = coverages.back();
    report.median_coverage = coverages[coverages.size() / 2];
    report.mean_coverage = std::accumulate(coverages.begin(), coverages.end(), 0.0) / double(coverages.size());
  }
  compare_images(pairs, facts, threads, report);
  return report;
}

std::vector<NearDuplicate> leaks(const IntegrityReport& report, const Split& split) {
  const std::set<std::string> training(split.training.begin(), split.training.end());
  std::set<std::string> held_out(split.validation.begin(), split.validation.end());
  held_out.insert(split.test.begin(), split.test.end());
  std::vector<NearDuplicate> crossing;
  const auto consider = [&](const NearDuplicate& pair) {
    if ((training.contains(pair.a) && held_out.contains(pair.b)) ||
        (training.contains(pair.b) && held_out.contains(pair.a)))
      crossing.push_back(pair);
  };
  for (const auto& group : report.duplicates)
    for (size_t i = 0; i < group.size(); ++i)
      for (size_t j = i + 1; j < group.size(); ++j) consider({group[i], group[j], 1});
  for (const NearDuplicate& pair : report.near_duplicates) consider(pair);
  return crossing;
}

}  // namespace data
