/// Matching images with masks by base name.
#include "data/dataset.h"

#include <filesystem>
#include <map>

#include "data/files.h"
#include "data/format_error.h"
#include "data/parallel.h"

namespace data {

namespace {

/// base name -> path, of the images in a folder. std::map sorts bytewise.
std::map<std::string, std::string> images_by_name(const std::string& folder, std::vector<std::string>& problems) {
  std::map<std::string, std::string> found;
  for (const std::string& file : list_files(folder)) {
    if (!has_image_extension(file)) continue;
    const auto [it, is_new] = found.emplace(base_name(file), folder + "/" + file);
    if (!is_new)
      problems.push_back(fmt::format("{} and {} share the base name \"{}\"; keep one of them", it->second,
                                     folder + "/" + file, it->first));
  }
  return found;
}

void require_folder(const std::string& path, const std::string& dataset) {
  std::error_code error;
  const bool found = std::filesystem::is_directory(path, error);
  require(found, "{} is missing: a data set is a folder with images/ and masks/ inside; is {} the right one?", path,
          dataset);
}

}  // namespace

Listing list_dataset(const std::string& folder) {
  std::error_code error;
  const bool found = std::filesystem::is_directory(folder, error);
  require(found, "{}: no such folder; give one with images/ and masks/ inside", folder);
  require_folder(folder + "/images", folder);
  require_folder(folder + "/masks", folder);
  Listing listing{{folder, {}}, {}};
  std::vector<std::string>& problems = listing.problems;
  const auto images = images_by_name(folder + "/images", problems), masks = images_by_name(folder + "/masks", problems);
  if (images.empty()) problems.push_back(fmt::format("{}/images holds no PNG, JPEG, BMP or TIFF file", folder));
  for (const auto& [name, path] : images) {
    const auto mask = masks.find(name);
    if (mask != masks.end())
      listing.dataset.pairs.push_back({name, path, mask->second});
    else
      problems.push_back(
          fmt::format("{} has no mask: no {}/masks/{}.* was found; add it, or remove the image", path, folder, name));
  }
  for (const auto& [name, path] : masks)
    if (!images.contains(name))
      problems.push_back(
          fmt::format("{} has no image: no {}/images/{}.* was found; add it, or remove the mask", path, folder, name));
  return listing;
}

Dataset open_dataset(const std::string& folder) {
  Listing listing = list_dataset(folder);
  const std::vector<std::string>& problems = listing.problems;
  if (problems.size() == 1) throw FormatError(problems.front());
  require(problems.empty(), "{} (and {} more problems; `cris data check {}` lists them)",
          problems.empty() ? "" : problems.front(), problems.size() - 1, folder);
  return std::move(listing.dataset);
}

Sample read_pair(const Pair& pair) {
  Sample sample{read_image(pair.image, 3), read_image(pair.mask, 1)};
  require(sample.mask.height == sample.image.height && sample.mask.width == sample.image.width,
          "{} is {} x {} but its image {} is {} x {} (width x height); make the mask anew at the image's size",
          pair.mask, sample.mask.width, sample.mask.height, pair.image, sample.image.width, sample.image.height);
  return sample;
}

int64_t prepare_dataset(const Dataset& dataset, const std::string& out, int64_t height, int64_t width, int threads) {
  create_folder(out + "/images");
  create_folder(out + "/masks");
  const auto count = int64_t(dataset.pairs.size());
  for_each_index(count, threads, [&](int64_t i) {
    const Pair& pair = dataset.pairs[size_t(i)];
    const Sample small = resize(read_pair(pair), height, width);
    write_png(out + "/images/" + pair.name + ".png", small.image);
    write_png(out + "/masks/" + pair.name + ".png", small.mask);
  });
  return count;
}

}  // namespace data
