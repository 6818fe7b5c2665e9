/// Matching images with masks by base name.
#include "data/dataset.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include "data/files.h"
#include "data/format_error.h"
#include "data/parallel.h"

namespace data {

namespace fs = std::filesystem;

namespace {

/// With a question mark for every byte that is not plain.
std::string printable(std::string text) {
  if (!is_plain_text(text))
    for (char& c : text)
      if (static_cast<unsigned char>(c) - 0x20u >= 0x5fu) c = '?';
  return text;
}

/// base name -> path, of the images in `folder` whose names end in `suffix`, which is cut off, and not in `other`.
/// std::map sorts bytewise.
std::map<std::string, std::string> images_by_name(const std::string& folder, const std::string& suffix,
                                                  const std::string& other, Listing& listing) {
  std::vector<std::string>& problems = listing.problems;
  std::map<std::string, std::string> found;
  for (const std::string& file : list_files(folder)) {
    std::string name = base_name(file);
    if (!other.empty() && name.ends_with(other)) continue;
    if (!has_image_extension(file) || !name.ends_with(suffix)) {
      listing.passed_over.push_back(fs::path(folder).filename().string() + "/" + file);
      continue;
    }
    if (!is_plain_text(file) || file.size() > kMaxNameBytes) {
      problems.push_back(
          fmt::format("{}/{}: the name has a control character, is not UTF-8 or longer than {} bytes; rename the file",
                      folder, printable(file), kMaxNameBytes));
      continue;
    }
    name.resize(name.size() - suffix.size());
    const auto [it, is_new] = found.emplace(name, folder + "/" + file);
    if (!is_new)
      problems.push_back(fmt::format("{} and {} share the base name \"{}\"; keep one of them", it->second,
                                     folder + "/" + file, it->first));
  }
  return found;
}

void require_folder(const std::string& path, const std::string& dataset) {
  std::error_code error;
  const bool found = fs::is_directory(path, error);
  require_data(found, "{} is missing: a data set is a folder with images/ and masks/ inside; is {} the right one?",
               path, dataset);
}

}  // namespace

std::vector<std::string> Dataset::names() const {
  std::vector<std::string> names;
  for (const Pair& pair : pairs) names.push_back(pair.name);
  return names;
}

MaskValues mask_values(const std::string& text, const std::string& where) {
  if (text.empty()) return {};
  MaskValues v;
  const char *const comma = text.data() + std::min(text.find(','), text.size()), *const end = text.data() + text.size();
  const auto reads = [](const char* from, const char* to, int& value) {
    while (from != to && *from == ' ') ++from;
    return std::from_chars(from, to, value).ptr == to && from != to;
  };
  const bool two = comma != end && reads(text.data(), comma, v.background) && reads(comma + 1, end, v.polyp);
  require_data(
      two && v.background >= 0 && v.polyp >= 0 && v.background < 256 && v.polyp < 256 && v.background != v.polyp,
      "{}: \"{}\" is not BACKGROUND,POLYP, two values from 0 to 255 such as 0,1", where, text);
  return v;
}

std::pair<std::string, std::string> dataset_folders(const std::string& folder, const MaskRule& rule) {
  std::error_code error;
  if (rule.folder.empty()) {
    require_folder(folder + "/images", folder);
    require_folder(folder + "/masks", folder);
    return {folder + "/images", folder + "/masks"};
  }
  const std::string inner = folder + "/" + rule.folder, masks = fs::is_directory(inner, error) ? inner : rule.folder;
  require_data(fs::is_directory(masks, error), "--masks {}: no such folder, in {} or elsewhere", rule.folder, folder);
  return {fs::is_directory(folder + "/images", error) ? folder + "/images" : folder, masks};
}

Listing list_dataset(const std::string& folder, const MaskRule& rule) {
  std::error_code error;
  const bool found = fs::is_directory(folder, error);
  require_data(found, "{}: no such folder; give one with images/ and masks/ inside", folder);
  const auto [image_folder, mask_folder] = dataset_folders(folder, rule);
  const bool together = fs::equivalent(image_folder, mask_folder, error);
  require_data(!together || !rule.suffix.empty(), "{} holds the images and the masks: tell them apart by --mask-suffix",
               image_folder);
  Listing listing{{folder, {}}, {}, {}};
  std::vector<std::string>& problems = listing.problems;
  const auto images = images_by_name(image_folder, "", together ? rule.suffix : "", listing);
  const std::vector<std::string> passed_over = listing.passed_over;
  const auto masks = images_by_name(mask_folder, rule.suffix, "", listing);
  if (together) listing.passed_over = passed_over;  // the images are no masks, and yet read
  // A file that is there, but in no readable format, must not be reported as missing.
  const auto missing = [&](const std::string& part, const std::string& name) {
    const std::string start = fs::path(part).filename().string() + "/" + name;
    for (const std::string& file : listing.passed_over)
      if (file.starts_with(start + ".") && base_name(fs::path(file).filename()) == name)
        return fmt::format("{}/{} is not a PNG, JPEG, BMP or TIFF; convert it", fs::path(part).parent_path().string(),
                           file);
    return fmt::format("no {}/{}.* was found; add it", part, name);
  };
  if (images.empty()) problems.push_back(fmt::format("{} holds no PNG, JPEG, BMP or TIFF file", image_folder));
  for (const auto& [name, path] : images) {
    const auto mask = masks.find(name);
    if (mask != masks.end())
      listing.dataset.pairs.push_back({name, path, mask->second, rule.values});
    else
      problems.push_back(
          fmt::format("{} has no mask: {}, or remove the image", path, missing(mask_folder, name + rule.suffix)));
  }
  for (const auto& [name, path] : masks)
    if (!images.contains(name))
      problems.push_back(fmt::format("{} has no image: {}, or remove the mask", path, missing(image_folder, name)));
  return listing;
}

Dataset open_dataset(const std::string& folder, const MaskRule& rule) {
  Listing listing = list_dataset(folder, rule);
  const std::vector<std::string>& problems = listing.problems;
  if (problems.size() == 1) throw FormatError(problems.front());
  require_data(problems.empty(), "{} (and {} more problems; `cris data check {}` lists them)",
               problems.empty() ? "" : problems.front(), problems.size() - 1, folder);
  return std::move(listing.dataset);
}

Sample read_pair(const Pair& pair, Remarks* of_image, Remarks* of_mask) {
  Sample sample{read_image(pair.image, 3, of_image), read_image(pair.mask, 1, of_mask)};
  require_data(sample.mask.height == sample.image.height && sample.mask.width == sample.image.width,
               "{} is {} x {} but its image {} is {} x {} (width x height); make the mask anew at the image's size",
               pair.mask, sample.mask.width, sample.mask.height, pair.image, sample.image.width, sample.image.height);
  if (pair.values.polyp >= 0)
    for (uint8_t& v : sample.mask.pixels) {
      require_data(v == pair.values.background || v == pair.values.polyp,
                   "{} has a pixel of value {}, and by --mask-values background is {} and polyp {}", pair.mask, int(v),
                   pair.values.background, pair.values.polyp);
      v = v == pair.values.polyp ? 255 : 0;
    }
  if (of_mask) {
    std::array<int64_t, 256> counts{};
    for (const uint8_t v : sample.mask.pixels) ++counts[v];
    if (looks_like_a_photograph(counts)) of_mask->insert("looks like a photograph, not like a mask");
  }
  const int brightest = *std::ranges::max_element(sample.mask.pixels);
  require_data(
      brightest == 0 || brightest >= kMaskThreshold,
      "{} is not black, yet no pixel of it counts as polyp: its values go up to {}, and polyps begin at {}; make "
      "polyps white (255) in it, or all of it black (0) if there is none; masks of other values are read by "
      "--mask-values 0,1",
      pair.mask, brightest, kMaskThreshold);
  return sample;
}

void write_dataset(const std::string& out, const std::vector<std::string>& names, int threads,
                   const std::function<Sample(int64_t)>& make) {
  constexpr std::array kFolders = {"/images", "/masks"};
  const std::set<std::string> ours(names.begin(), names.end());
  for (const char* folder : kFolders) {
    if (!fs::is_directory(out + folder)) continue;
    for (const std::string& file : list_files(out + folder))
      require_data(file.ends_with(".png") && ours.contains(base_name(file)),
                   "{}{} holds {}, which is not of this set; choose another folder or empty this one", out, folder,
                   file);
  }
  StagingFolder staging(out);
  for (const char* folder : kFolders) create_folder(staging.path() + folder);
  for_each_index(int64_t(names.size()), threads, [&](int64_t i) {
    const Sample pair = make(i);
    const std::string file = "/" + names[size_t(i)] + ".png";
    write_png(staging.path() + kFolders[0] + file, pair.image);
    write_png(staging.path() + kFolders[1] + file, pair.mask);
  });
  staging.publish();
}

int64_t prepare_dataset(const Dataset& dataset, const std::string& out, int64_t height, int64_t width, int threads) {
  std::error_code ignored;
  require_data(!fs::equivalent(dataset.folder, out, ignored), "{} is the data set itself; choose another -o", out);
  write_dataset(out, dataset.names(), threads,
                [&](int64_t i) { return resize(read_pair(dataset.pairs[size_t(i)]), height, width); });
  return int64_t(dataset.pairs.size());
}

}  // namespace data
