/// Which test images a report shows, and how their files are named.
#pragma once
#include <string>
#include <vector>

#include "cris/metrics.h"

namespace cris {

struct Example {
  std::string name;  ///< of the image
  std::string file;  ///< "03_worst_NAME"
};
/// At most `count` images by Dice: two fifths the worst, and a fifth each around the median, the best, and drawn at
/// random of the rest (the same for every run on these images). Each once, in this order.
std::vector<Example> examples(std::vector<ImageScore> images, int64_t count);

/// NAME and "worst" of a file's name without its end; a file of an older version, "03_NAME", shows a worst image.
std::pair<std::string, std::string> shown_in(const std::string& file);

}  // namespace cris
