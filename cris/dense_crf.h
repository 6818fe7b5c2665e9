/// Dense CRF post-processing: sharpens a label map or probability maps along the edges of an image, nothing trained.
#pragma once
#include <string>
#include <vector>

#include "data/image.h"
#include "tensor/gaussian/gaussian_filter.h"

namespace cris {

/// Defaults are those of the example of pydensecrf (Lucas Beyer), whose results this reproduces.
struct DenseCrfOptions {
  double spatial_theta = 3, spatial_weight = 3;  ///< pixels; weight of the spatial kernel ("compat")
  double bilateral_theta = 80;                   ///< pixels
  double colour_theta = 13;                      ///< of 0..255
  double bilateral_weight = 10;
  double ground_truth_probability = 0.7;  ///< how sure a given label is, in (0, 1)
  int iterations = 5;
  tensor::GaussianKind kind = tensor::GaussianKind::permutohedral;
  tensor::Normalisation normalisation = tensor::Normalisation::symmetric;
};
/// Throws Error naming the option of cris crf that is out of range.
void check_options(const DenseCrfOptions& options);

/// About what dense_crf takes of the host's memory, in bytes: six values a label and pixel, and the lattices, measured
/// of noise, whose are the largest: up to 320 bytes a pixel.
constexpr int64_t dense_crf_bytes(int64_t pixels, int64_t labels) { return pixels * (24 * labels + 320); }

/// The most labels that a label map may have: more colours mean a photograph, or a map saved with loss.
constexpr int64_t kMaxLabels = 256;
/// The same of levels of gray: more mean probabilities.
constexpr int64_t kMaxGrayLabels = 64;

/// A picture of labels, each pixel a number.
struct LabelMap {
  int64_t height = 0, width = 0;
  std::vector<uint32_t> colours;  ///< of label l: r + 256 g + 65536 b
  std::vector<int32_t> labels;    ///< [height width]; -1: unsure
};
/// Colours numbered by ascending r + 256 g + 65536 b; black is "unsure", unless `black_is_label`, or there are fewer
/// than two colours beside it: then it is a mask, and black its background. `jpeg`: the file was one; a gray mask
/// becomes 0 and 255 again. `name` is for messages. Throws FormatError on a map with more than kMaxLabels labels, and
/// on any other JPEG.
LabelMap label_map(const data::Image& picture, const std::string& name, bool black_is_label = false, bool jpeg = false);
/// The picture of labels: gray where all their colours are, else 3 channels.
data::Image picture_of(const LabelMap& map);

/// log probability [1,H,W,L], f32: ground_truth_probability for the given label, the rest shared by the others, 1/L for
/// all where it is unsure.
tensor::Tensor log_probability(const LabelMap& map, const DenseCrfOptions& options);
/// The same of 8-bit maps (255: certain) clipped to [1e-5, 1]: one map is the foreground of two labels, else one a
/// label. Throws FormatError when maps differ in size.
tensor::Tensor log_probability(const std::vector<data::Image>& maps);

/// Mean field with Potts compatibility: probability [1,H,W,L] of log_probability [1,H,W,L], guided by `image` (3
/// channels). Throws FormatError when the extents differ; `name` is for messages.
tensor::Tensor dense_crf(const tensor::Tensor& log_probability, const data::Image& image, const std::string& name,
                         const DenseCrfOptions& options);
/// The likeliest label of each pixel (the first on ties): [H W].
std::vector<int32_t> likeliest(const tensor::Tensor& probability);

}  // namespace cris
