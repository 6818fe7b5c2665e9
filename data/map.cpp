#include "data/map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <regex>

#include "data/files.h"
#include "data/format_error.h"
#include "data/image.h"
#include "data/image_decoders.h"
#include "data/transform.h"
#include "tensor/machine/atomic_file.h"

namespace data {

namespace {

constexpr std::string_view kMagic{"\x93NUMPY", 6};
constexpr int64_t kMostPixels = int64_t(1) << 30;

template <class T>
T value_at(const char* p) {
  T v;
  std::memcpy(&v, p, sizeof(T));
  return v;
}

/// IEEE 754's 16 bits.
float half_value(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float size = exponent == 31  ? (fraction ? NAN : INFINITY)
                     : exponent == 0 ? std::ldexp(float(fraction), -24)
                                     : std::ldexp(float(fraction + 1024), exponent - 25);
  return bits >> 15 ? -size : size;
}

/// How many bytes a value has, and how it is read.
struct Type {
  std::string_view name;
  size_t size;
  float (*read)(const char* at);
};
constexpr Type kTypes[] = {{"<f4", 4, [](const char* p) { return value_at<float>(p); }},
                           {"<f8", 8, [](const char* p) { return float(value_at<double>(p)); }},
                           {"<f2", 2, [](const char* p) { return half_value(value_at<uint16_t>(p)); }},
                           {"|b1", 1, [](const char* p) { return *p ? 1.0f : 0.0f; }},
                           {"|u1", 1, [](const char* p) { return float(uint8_t(*p)) / 255; }}};

}  // namespace

void write_npy(const std::string& path, const float* values, int64_t height, int64_t width) {
  std::string header = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", height, width);
  // The values begin at a multiple of 64 bytes.
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes += {char(1), char(0), char(header.size() & 0xFF), char(header.size() >> 8)};
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(values), size_t(height * width) * sizeof(float));
  tensor::write_file_atomically(path, bytes);
}

Map parse_npy(std::string_view bytes, const std::string& name) {
  require_data(bytes.size() >= 12 && bytes.substr(0, 6) == kMagic && (bytes[6] == 1 || bytes[6] == 2),
               "{}: not a NumPy array of format 1 or 2; write it with numpy.save", name);
  const size_t prefix = bytes[6] == 1 ? 10 : 12;
  const size_t length = bytes[6] == 1 ? value_at<uint16_t>(&bytes[8]) : value_at<uint32_t>(&bytes[8]);
  require_data(length <= bytes.size() - prefix && length <= 4096, "{}: damaged: its header does not end", name);
  const std::string header(bytes.substr(prefix, length));
  std::smatch m;
  const auto field = [&](const char* pattern) {
    require_data(std::regex_search(header, m, std::regex(pattern)), "{}: damaged: its header is {}", name, header);
    return m[1].str();
  };
  const std::string type = field("'descr': '([^']*)'");
  require_data(field("'fortran_order': (True|False)") == "False",
               "{}: in Fortran order; save numpy.ascontiguousarray of it", name);
  require_data(std::regex_search(header, m, std::regex(R"('shape': \((\d{1,9}), (\d{1,9})\))")),
               "{}: its shape is not (height, width): {}; save one map a file", name, header);
  Map map{std::stoll(m[1].str()), std::stoll(m[2].str())};
  const auto of = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const Type& t) { return t.name == type; });
  require_data(of != std::end(kTypes), "{}: values of type {}; save it as float32, float64, float16, bool or uint8",
               name, type);
  require_data(map.height > 0 && map.width > 0 && map.height <= kMostPixels / map.width,
               "{}: {} x {} values are none or too many", name, map.height, map.width);
  const char* values = bytes.data() + prefix + length;
  const auto count = size_t(map.height * map.width);
  require_data(bytes.size() - prefix - length == count * of->size,
               "{}: holds {} bytes of values, and its shape asks for {}", name, bytes.size() - prefix - length,
               count * of->size);
  map.values.reserve(count);
  for (size_t i = 0; i < count; ++i) map.values.push_back(of->read(values + i * of->size));
  return map;
}

namespace {
Image decode_probability(std::string_view bytes, const std::string& path) {
  Remarks remarks;
  Image image = decode_image(bytes, path, 1, &remarks);
  for (const std::string& remark : remarks)
    require_data(remark.find("of 16 bits used") == std::string::npos,
                 "{}: {}; a map of probabilities has 255 or 65535 for 1: save it as a gray PNG", path, remark);
  return image;
}
}  // namespace

Image read_probability(const std::string& path) {
  const std::string bytes = read_data_file(path);
  const auto deep = decode_gray_16(bytes, path);
  if (!deep) return decode_probability(bytes, path);
  Image y(deep->height, deep->width, 1);
  std::ranges::transform(deep->values, y.pixels.begin(), [](float v) { return uint8_t(std::lround(255 * v)); });
  return y;
}

Map read_map(const std::string& path) {
  const std::string bytes = read_data_file(path);
  Map map;
  if (path.ends_with(".npy")) {
    map = parse_npy(bytes, path);
  } else if (auto deep = decode_gray_16(bytes, path)) {
    map = std::move(*deep);
  } else {
    const Image image = decode_probability(bytes, path);
    map = {image.height, image.width, std::vector<float>(image.pixels.size())};
    std::transform(image.pixels.begin(), image.pixels.end(), map.values.begin(),
                   [](uint8_t v) { return float(v) / 255; });
  }
  for (size_t i = 0; i < map.values.size(); ++i)
    require_data(
        map.values[i] >= 0 && map.values[i] <= 1,
        "{}: the value {} at row {}, column {} is not a probability; values lie in 0 .. 1 (of logits take the sigmoid)",
        path, map.values[i], int64_t(i) / map.width, int64_t(i) % map.width);
  return map;
}

Map read_mask_map(const std::string& path, bool* photograph) {
  Map map = read_map(path);
  if (photograph) {
    std::array<int64_t, 256> counts{};
    for (const float v : map.values) ++counts[size_t(std::lround(255 * v))];
    *photograph = looks_like_a_photograph(counts);
  }
  const float brightest = *std::max_element(map.values.begin(), map.values.end());
  require_data(brightest == 0 || brightest >= 0.5f,
               "{}: no pixel reaches one half, the brightest is {:.4g} of 1; save the mask as 0 and 255", path,
               brightest);
  for (float& v : map.values) v = v >= 0.5f ? 1 : 0;
  return map;
}

bool has_map_extension(const std::string& file) { return has_image_extension(file) || file.ends_with(".npy"); }

}  // namespace data
