/// A data set on disk: a folder with images/ and masks/ whose files share base names.
#pragma once
#include <string>
#include <vector>

#include "data/transform.h"

namespace data {

/// One image file and its mask file.
struct Pair {
  std::string name;  ///< the base name both share
  std::string image, mask;
};

/// A folder's pairs, sorted bytewise by name.
struct Dataset {
  std::string folder;
  std::vector<Pair> pairs;
};

/// What a folder holds: its pairs, and a message for each file that has no partner or shares its base name with
/// another.
struct Listing {
  Dataset dataset;
  std::vector<std::string> problems;
};
/// Lists a data set without decoding anything. Throws FormatError if the folder, images/ or masks/ is missing.
Listing list_dataset(const std::string& folder);

/// Lists a data set without decoding anything. Any readable extension; hidden files and other extensions are passed
/// over. Throws FormatError, naming the file, if the folder, images/ or masks/ is missing, there is no image, an image
/// has no mask, a mask has no image, or two files of a folder share a base name.
Dataset open_dataset(const std::string& folder);

/// Decodes a pair at its own size; the mask as luma, not thresholded. Throws FormatError if a file cannot be decoded or
/// the mask has another size than the image.
Sample read_pair(const Pair& pair);

/// Reads every pair, resizes it to height x width and writes OUT/images/NAME.png and OUT/masks/NAME.png (0 or 255).
/// Returns the number of pairs. Throws FormatError for the first bad pair, Error when a file cannot be written.
int64_t prepare_dataset(const Dataset& dataset, const std::string& out, int64_t height, int64_t width, int threads = 0);

}  // namespace data
