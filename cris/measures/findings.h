/// What a predicted mask shows, in numbers: for each picture and for each of its polyps.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/image.h"
#include "tensor/machine/atomic_file.h"

namespace cris {

/// Pixels of a mask. Columns count from the left and rows from the top, both from 0.
struct Region {
  int64_t area = 0;                                  ///< pixels; the rest says nothing where it is 0
  int64_t left = 0, top = 0, right = 0, bottom = 0;  ///< the box around them, its last column and row included
  double x = 0, y = 0;                               ///< centroid: the mean column and row
  double largest_probability = 0;
};

struct Findings {
  std::string name = {}, file = {};
  int64_t height = 0, width = 0;
  double largest_probability = 0;       ///< of the whole picture
  double milliseconds = 0;              ///< that the network took
  Region all = {};                      ///< of the mask as a whole
  std::vector<Region> components = {};  ///< pixels that touch by a side or a corner, in reading order
};

/// mask: polyp from 128 on; probability: as many values, row-major.
Findings find_regions(const data::Image& mask, const float* probability);

/// findings.csv, a row a picture, and findings.json, an object a picture with its components. Both grow as pictures are
/// added, are there once committed, and are readable at any length.
class FindingsFiles {
 public:
  FindingsFiles(const std::string& folder, const std::string& run, double threshold);
  void add(const Findings& f);
  void commit();
  static std::vector<std::string> paths(const std::string& folder);
  /// The first line of findings.csv, by which commands know one that they may replace.
  static const char* const kHeader;

 private:
  tensor::AtomicFile csv_, json_;
  bool first_ = true;
};

nlohmann::ordered_json json_of(const Findings& f);

}  // namespace cris
