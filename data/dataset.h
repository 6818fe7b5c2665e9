/// A data set on disk: a folder with images/ and masks/ whose files share base names.
#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "data/transform.h"

namespace data {

/// The values of a mask's pixels, where they are not 0 and 255: no others are then allowed.
struct MaskValues {
  int background = -1, polyp = -1;  ///< negative: black and white, thresholded
  bool operator==(const MaskValues&) const = default;
};
/// "0,1": background 0, polyp 1; "": black and white. Throws FormatError, beginning with `where`.
MaskValues mask_values(const std::string& text, const std::string& where);

/// Where the masks of a data set are, where that is not masks/ beside images/ with the same base names.
struct MaskRule {
  std::string folder = {};  ///< in the data set, or anywhere; the images are then in images/ or in the data set itself
  std::string suffix = {};  ///< the mask of a.jpg is a + suffix: "_mask"
  MaskValues values = {};
};
/// The folders of a data set's images and masks by that rule.
std::pair<std::string, std::string> dataset_folders(const std::string& folder, const MaskRule& rule);

/// One image file and its mask file.
struct Pair {
  std::string name;  ///< the image's base name
  std::string image, mask;
  MaskValues values = {};
};

/// A folder's pairs, sorted bytewise by name.
struct Dataset {
  std::string folder;
  std::vector<Pair> pairs;
  std::vector<std::string> names() const;
};

/// What a folder holds: its pairs, and a message for each file that has no partner, shares its base name with another,
/// or has a name that no list could hold (control characters, no UTF-8, more than kMaxNameBytes).
struct Listing {
  Dataset dataset;
  std::vector<std::string> problems;
  std::vector<std::string> passed_over;  ///< files of other extensions, as images/a.gif
};
constexpr size_t kMaxNameBytes = 200;
/// Lists a data set without decoding anything. Throws FormatError if the folder, images/ or masks/ is missing.
Listing list_dataset(const std::string& folder, const MaskRule& rule = {});

/// Lists a data set without decoding anything. Any readable extension; hidden files and other extensions are passed
/// over. Throws FormatError, naming the file, if the folder, images/ or masks/ is missing, there is no image, or the
/// listing has a problem.
Dataset open_dataset(const std::string& folder, const MaskRule& rule = {});

/// Decodes a pair at its own size; the mask as luma, not thresholded, or by its values as 0 and 255. Throws FormatError
/// if a file cannot be decoded, the mask has another size than the image or a value that is not allowed, or is not
/// black and yet has no pixel of kMaskThreshold or above: polyps marked by 1 instead of 255 would pass for none. What
/// was done to either file is added to its remarks.
Sample read_pair(const Pair& pair, Remarks* of_image = nullptr, Remarks* of_mask = nullptr);

/// Writes pair i, made by `make`, as OUT/images/NAMES[i].png and OUT/masks/NAMES[i].png: the whole set or, when
/// anything throws, nothing. A set of the same names is replaced. Throws FormatError when OUT holds other pictures,
/// Error when a file cannot be written.
void write_dataset(const std::string& out, const std::vector<std::string>& names, int threads,
                   const std::function<Sample(int64_t)>& make);

/// Reads every pair, resizes it to height x width and writes it, the mask as 0 or 255: see write_dataset.
/// Returns the number of pairs. Throws FormatError for the first bad pair and when `out` is the data set itself.
int64_t prepare_dataset(const Dataset& dataset, const std::string& out, int64_t height, int64_t width, int threads = 0);

}  // namespace data
