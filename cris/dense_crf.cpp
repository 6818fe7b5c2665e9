/// Dense CRF post-processing: label maps and probability maps to unaries, the mean field, and back to labels.
/// Source of the conventions: pydensecrf; of the method: Krahenbuhl & Koltun 2011.
#include "cris/dense_crf.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "autograd/ops.h"
#include "data/format_error.h"
#include "data/transform.h"

namespace cris {

using autograd::Variable;
using tensor::Device;
using tensor::DType;
using tensor::require;
using tensor::Tensor;

void check_options(const DenseCrfOptions& o) {
  // Below these an image's features leave the range of a lattice.
  const auto at_least = [](const char* what, double value, double least) {
    require(std::isfinite(value) && value >= least, "{} {} must be at least {}", what, value, least);
  };
  at_least("--gaussian-sxy", o.spatial_theta, 0.5);
  at_least("--sxy", o.bilateral_theta, 0.5);
  at_least("--srgb", o.colour_theta, 0.01);
  for (const auto& [what, weight] :
       {std::pair{"--gaussian-compat", o.spatial_weight}, {"--compat", o.bilateral_weight}})
    require(weight >= 0 && weight <= 1e6, "{} {} must lie between 0 and 10^6", what, weight);
  require(o.ground_truth_probability > 0 && o.ground_truth_probability < 1, "--gt-prob {} must lie between 0 and 1",
          o.ground_truth_probability);
  require(o.iterations >= 1 && o.iterations <= 1000, "--iterations {}: 1 to 1000 are possible", o.iterations);
}

namespace {

/// Of a mask that went through JPEG, gray and every value near 0 or 255, what it was: 0 and 255.
bool restore_mask(std::vector<uint32_t>& colours) {
  constexpr uint32_t kRinging = data::kRinging;
  const auto level = [](uint32_t c) { return c & 255; };
  for (const uint32_t c : colours)
    if (level(c) > kRinging && level(c) < 255 - kRinging) return false;
  for (uint32_t& c : colours) c = level(c) < 128 ? 0 : 0xffffff;
  return true;
}

}  // namespace

LabelMap label_map(const data::Image& picture, const std::string& name, bool black_is_label, bool jpeg) {
  LabelMap y{.height = picture.height, .width = picture.width, .colours = {}, .labels = {}};
  std::map<uint32_t, int32_t> label_of;
  std::vector<uint32_t> colour(picture.height * picture.width);
  bool gray = true;
  for (size_t i = 0; i < colour.size(); ++i) {
    const uint8_t* const p = picture.pixels.data() + i * picture.channels;
    colour[i] = picture.channels == 3 ? p[0] | p[1] << 8 | p[2] << 16 : p[0] * 0x010101u;
    gray = gray && colour[i] == (colour[i] & 255) * 0x010101u;
    label_of.emplace(colour[i], 0);
    data::require_data(int64_t(label_of.size()) <= kMaxLabels + 1,
                       "{}: more than {} colours: a label map has one colour a label (is it a photograph, or a JPEG?)",
                       name, kMaxLabels);
  }
  if (jpeg) {
    data::require_data(gray && restore_mask(colour),
                       "{}: a JPEG, whose labels are blurred; save them as PNG, or give a map of probabilities by "
                       "--probability",
                       name);
    label_of.clear();
    for (const uint32_t c : colour) label_of.emplace(c, 0);
  }
  data::require_data(!gray || int64_t(label_of.size()) <= kMaxGrayLabels,
                     "{}: {} levels of gray are no labels; a map of probabilities is given by --probability", name,
                     label_of.size());
  const size_t black = label_of.count(0);
  black_is_label = black_is_label || label_of.size() - black < 2;
  for (auto& [c, label] : label_of) {
    const bool unsure = c == 0 && !black_is_label;
    label = unsure ? -1 : int32_t(y.colours.size());
    if (!unsure) y.colours.push_back(c);
  }
  data::require_data(int64_t(y.colours.size()) <= kMaxLabels, "{}: {} labels; at most {} are possible", name,
                     y.colours.size(), kMaxLabels);
  y.labels.resize(colour.size());
  for (size_t i = 0; i < colour.size(); ++i) y.labels[i] = label_of[colour[i]];
  return y;
}

data::Image picture_of(const LabelMap& map) {
  const auto is_gray = [](uint32_t c) { return c == (c & 255) * 0x010101u; };
  const int channels = std::all_of(map.colours.begin(), map.colours.end(), is_gray) ? 1 : 3;
  data::Image y(map.height, map.width, channels);
  for (size_t i = 0; i < map.labels.size(); ++i) {
    const uint32_t c = map.labels[i] < 0 ? 0 : map.colours[map.labels[i]];
    for (int b = 0; b < channels; ++b) y.pixels[channels * i + b] = uint8_t(c >> (8 * b));
  }
  return y;
}

Tensor log_probability(const LabelMap& map, const DenseCrfOptions& o) {
  const int64_t labels = int64_t(map.colours.size());
  const float given = float(std::log(o.ground_truth_probability));
  const float other = float(std::log((1.0 - o.ground_truth_probability) / double(labels - 1)));
  const float unsure = float(std::log(1.0 / double(labels)));
  const Tensor y({1, map.height, map.width, labels}, DType::f32, Device::cpu);
  float* out = y.data<float>();
  for (const int32_t label : map.labels)
    for (int64_t l = 0; l < labels; ++l) *out++ = label < 0 ? unsure : l == label ? given : other;
  return y;
}

Tensor log_probability(const std::vector<data::Image>& maps) {
  data::require_data(!maps.empty(), "crf: no probability map was given");
  const data::Image& first = maps.front();
  for (const data::Image& m : maps)
    data::require_data(m.height == first.height && m.width == first.width,
                       "crf: probability maps of {} x {} and {} x {} pixels do not fit together", first.width,
                       first.height, m.width, m.height);
  const int64_t labels = std::max<int64_t>(2, int64_t(maps.size()));
  const Tensor y({1, first.height, first.width, labels}, DType::f32, Device::cpu);
  const auto log_of = [](float p) { return std::log(std::clamp(p, 1e-5f, 1.0f)); };
  float* out = y.data<float>();
  for (int64_t i = 0; i < first.height * first.width; ++i) {
    if (maps.size() == 1) {
      const float p = float(first.pixels[i * first.channels]) / 255.0f;
      *out++ = log_of(1.0f - p);
      *out++ = log_of(p);
    } else {
      for (const data::Image& m : maps) *out++ = log_of(float(m.pixels[i * m.channels]) / 255.0f);
    }
  }
  return y;
}

Tensor dense_crf(const Tensor& log_probability, const data::Image& image, const std::string& name,
                 const DenseCrfOptions& o) {
  check_options(o);
  const tensor::Shape& s = log_probability.shape();
  data::require_data(s[1] == image.height && s[2] == image.width,
                     "{}: the image has {} x {} pixels, its labels or probabilities {} x {}: they must be of one size",
                     name, image.width, image.height, s[2], s[1]);
  data::require_data(image.channels == 3, "{}: {} channel(s); the CRF needs colours", name, image.channels);
  const Tensor colours({1, image.height, image.width, 3}, DType::f32, Device::cpu);
  std::copy(image.pixels.begin(), image.pixels.end(), colours.data<float>());

  const auto filter = [&](const Tensor& features) {
    return autograd::Filters{std::make_shared<tensor::GaussianFilter>(o.kind, o.normalisation, features)};
  };
  const int64_t labels = s[3];
  const auto potts = [&](double weight) {
    std::vector<float> values(labels * labels, 0.0f);
    for (int64_t l = 0; l < labels; ++l) values[l * labels + l] = float(weight);
    return Variable(Tensor::from(values, {labels, labels}, Device::cpu));
  };
  const autograd::NoGrad no_gradients;
  const Variable q = autograd::mean_field(
      Variable(log_probability),
      filter(tensor::spatial_features(image.height, image.width, o.spatial_theta, DType::f32, Device::cpu)),
      filter(tensor::bilateral_features(colours, 0, o.bilateral_theta, o.colour_theta)), potts(o.spatial_weight),
      potts(o.bilateral_weight), potts(-1), o.iterations);
  return tensor::softmax(q.value());
}

std::vector<int32_t> likeliest(const Tensor& probability) {
  const int64_t labels = probability.shape()[-1], pixels = probability.size() / labels;
  const float* p = probability.data<float>();
  std::vector<int32_t> y(pixels);
  for (int64_t i = 0; i < pixels; ++i, p += labels) y[i] = int32_t(std::max_element(p, p + labels) - p);
  return y;
}

}  // namespace cris
