/// One pass over the numbered components of a mask.
#include "cris/measures/findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "cris/measures/lesions.h"
#include "data/files.h"

namespace cris {

namespace {

void add_pixel(Region& r, int64_t x, int64_t y, float probability) {
  if (r.area == 0) r.left = r.right = x, r.top = r.bottom = y;
  ++r.area;
  r.left = std::min(r.left, x), r.right = std::max(r.right, x);
  r.top = std::min(r.top, y), r.bottom = std::max(r.bottom, y);
  r.x += double(x), r.y += double(y);
  r.largest_probability = std::max(r.largest_probability, double(probability));
}

void end_sums(Region& r) {
  if (r.area > 0) r.x /= double(r.area), r.y /= double(r.area);
}

nlohmann::ordered_json json_of_region(const Region& r) {
  if (r.area == 0) return {{"area", 0}};
  return {{"area", r.area},
          {"box", {r.left, r.top, r.right, r.bottom}},
          {"centroid", {r.x, r.y}},
          {"largest_probability", r.largest_probability}};
}

}  // namespace

Findings find_regions(const data::Image& mask, const float* probability) {
  Findings f{.height = mask.height, .width = mask.width};
  const auto pixels = size_t(mask.height * mask.width);
  f.largest_probability = double(*std::max_element(probability, probability + pixels));
  BinaryMap map{mask.height, mask.width, std::vector<uint8_t>(pixels)};
  for (size_t i = 0; i < pixels; ++i) map.pixels[i] = mask.pixels[i] >= 128;
  std::vector<int32_t> labels;
  f.components.resize(size_t(label_components(map, labels)));
  for (int64_t y = 0, i = 0; y < mask.height; ++y)
    for (int64_t x = 0; x < mask.width; ++x, ++i) {
      if (labels[size_t(i)] == 0) continue;
      add_pixel(f.all, x, y, probability[i]);
      add_pixel(f.components[size_t(labels[size_t(i)]) - 1], x, y, probability[i]);
    }
  end_sums(f.all);
  for (Region& r : f.components) end_sums(r);
  return f;
}

nlohmann::ordered_json json_of(const Findings& f) {
  nlohmann::ordered_json components = nlohmann::ordered_json::array();
  for (const Region& r : f.components) components.push_back(json_of_region(r));
  return {{"name", f.name},
          {"file", f.file},
          {"width", f.width},
          {"height", f.height},
          {"polyp", json_of_region(f.all)},
          {"largest_probability", f.largest_probability},
          {"milliseconds", f.milliseconds},
          {"components", components}};
}

const char* const FindingsFiles::kHeader =
    "name,file,width,height,area,share,components,left,top,right,bottom,centroid_x,centroid_y,largest_probability,"
    "milliseconds\n";

std::vector<std::string> FindingsFiles::paths(const std::string& folder) {
  return {folder + "/findings.csv", folder + "/findings.json"};
}

FindingsFiles::FindingsFiles(const std::string& folder, const std::string& run, double threshold)
    : csv_(paths(folder)[0]), json_(paths(folder)[1]) {
  csv_.write(kHeader);
  const nlohmann::ordered_json head = {{"writer", "cris"}, {"run", run}, {"threshold", threshold}};
  std::string text = head.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.back() = ',';
  json_.write(text + "\n\"images\":[");
}

void FindingsFiles::add(const Findings& f) {
  const std::string box = f.all.area == 0 ? ",,,,,"
                                          : fmt::format("{},{},{},{},{:.2f},{:.2f}", f.all.left, f.all.top, f.all.right,
                                                        f.all.bottom, f.all.x, f.all.y);
  csv_.write(fmt::format("{},{},{},{},{},{:.6f},{},{},{:.6f},{:.2f}\n", data::csv_name(f.name), data::csv_name(f.file),
                         f.width, f.height, f.all.area, double(f.all.area) / double(f.width * f.height),
                         f.components.size(), box, f.largest_probability, f.milliseconds));
  json_.write(first_ ? "\n" : ",\n");
  json_.write(json_of(f).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  first_ = false;
}

void FindingsFiles::commit() {
  json_.write("\n]}\n");
  csv_.finish();
  json_.commit();
  csv_.commit();
}

}  // namespace cris
