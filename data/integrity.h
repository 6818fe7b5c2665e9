/// What is in a data set and what is wrong with it: the facts behind `cris data check`.
#pragma once
#include <array>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"
#include "data/split.h"

namespace data {

/// Two images that look alike. similarity: correlation of their 16 x 16 luma thumbnails, 1 when equal up to brightness
/// and contrast.
struct NearDuplicate {
  std::string a, b;
  double similarity = 0;
};

struct IntegrityReport {
  std::string folder;
  int64_t pairs = 0;                                        ///< that were read
  std::vector<std::string> refused;                         ///< a message for each file that training would refuse
  std::map<std::string, std::vector<std::string>> remarks;  ///< what decode_image remarks -> files, as images/a.png
  std::vector<std::string> passed_over;                  ///< files that are neither read nor refused, as images/a.gif
  std::map<std::pair<int64_t, int64_t>, int64_t> sizes;  ///< (width, height) -> pairs
  std::array<int64_t, 256> mask_values{};                ///< pixels of all masks by luma
  int64_t binary_masks = 0;                              ///< only 0 and 255
  int64_t ringing_masks = 0;  ///< values within kRinging of 0 and 255 only: a binary mask that went through JPEG
  std::vector<std::string> soft_masks;               ///< other values too
  std::vector<std::string> empty_masks, full_masks;  ///< no pixel, every pixel at kMaskThreshold or above
  double least_coverage = 0, median_coverage = 0, mean_coverage = 0, most_coverage = 0;  ///< share of polyp pixels
  std::vector<std::vector<std::string>> duplicates;  ///< groups of equal images (SHA-256 of the pixels)
  std::vector<NearDuplicate>
      near_duplicates;  ///< similarity >= kNearDuplicate, equal images left out, most alike first
  /// Training would take it: no file is refused, and some mask has a polyp.
  bool usable() const { return refused.empty() && int64_t(empty_masks.size()) < pairs; }
  std::string fingerprint;  ///< SHA-256 over names and decoded pixels of images and masks
};

/// At 0.97, 58 % of CVC-ClinicDB's frames have a near-duplicate, nearly always a neighbour in their sequence, and 1 %
/// of Kvasir-SEG's.
constexpr double kNearDuplicate = 0.97;

/// Reads everything; `told` hears how many of all pairs were read, one call at a time. Never throws for a bad file;
/// throws FormatError if the folder itself is not a data set.
IntegrityReport check_dataset(const std::string& folder, int threads = 0, const MaskRule& rule = {},
                              const std::function<void(int64_t done, int64_t all)>& told = {});

/// Duplicates and near-duplicates of which one side is in `split`'s training list and the other in its validation or
/// test list: what a model may know by heart.
std::vector<NearDuplicate> leaks(const IntegrityReport& report, const Split& split);

/// The report as lines for people; lists are cut after `most_names`.
std::string report_text(const IntegrityReport& report, size_t most_names = 10);

}  // namespace data
