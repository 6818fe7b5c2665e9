/// Gaussian filters over the pixels of one image, exact or on the permutohedral lattice, normalised, with their
/// transposes.
#pragma once
#include <memory>
#include <vector>

#include "tensor/gaussian/lattice.h"
#include "tensor/kernel_arguments.h"

namespace tensor {

/// exact: the sum over every pair, O(n^2). permutohedral: O(n), the published approximation (gaussian/lattice.h), 0.01
/// to 0.06 off after normalisation (root mean square).
enum class GaussianKind { permutohedral, exact };
constexpr auto names(GaussianKind) { return Names{"Gaussian filter", {"permutohedral", "exact"}}; }
constexpr auto kGaussianKinds = values<GaussianKind>();
/// The answer to settings that still name a filter of earlier versions.
inline constexpr const char* kBridgedIsGone =
    "\"bridged\" is gone: it departed from the published filter and gained nothing; use \"permutohedral\"";

/// row: y = (K x) / (K 1). symmetric: y = n K (n x), n = 1 / sqrt(K 1). Both with 1e-20 added to K 1.
enum class Normalisation { row, symmetric };
constexpr auto names(Normalisation) { return Names{"normalisation", {"row", "symmetric"}}; }

/// Built once per image, then applied to any number of channels and as often as needed.
class GaussianFilter {
 public:
  /// features: [points, d], in units of the standard deviation; the filter works on their device and dtype.
  GaussianFilter(GaussianKind kind, Normalisation normalisation, const Tensor& features);

  int64_t points() const { return points_; }
  /// Whether a constant stays as it is, but for rounding: rows that are normalised sum to 1.
  bool keeps_constants() const { return !before_.defined(); }
  /// Filters image `image` of x into y. x, y: [images, points, c], of the features' dtype and device.
  void apply(int64_t image, bool transpose, const Tensor& x, const Tensor& y) const;
  /// Memory that it holds.
  int64_t bytes() const;

 private:
  GaussianKind kind_;
  int64_t points_;
  Tensor features_;        // exact only
  Lattice lattice_;        // permutohedral only
  Tensor before_, after_;  // factors of normalisation; row has none before
  void filter(const GaussianPass& pass, const Tensor& x, const Tensor& y) const;
};

using GaussianFilters = std::vector<std::shared_ptr<const GaussianFilter>>;

/// A filter for every image's features, all of one device; on the cpu the images go to the threads. Throws as the
/// constructor does.
GaussianFilters build_each(GaussianKind kind, Normalisation normalisation, const std::vector<Tensor>& features);

/// filters[n] applied to image n, for every image of x; on the cpu the images go to the threads. Throws as apply does,
/// and when there are more or fewer filters than images.
void apply_each(const GaussianFilters& filters, bool transpose, const Tensor& x, const Tensor& y);

/// Pixel positions (y, x) / theta: [height width, 2]. Throws unless theta > 0 and finite.
Tensor spatial_features(int64_t height, int64_t width, double theta, DType dtype, Device device);
/// (y / theta_position, x / theta_position, r / theta_colour, g / theta_colour, b / theta_colour): [H W, 5].
/// image: [images, H, W, 3], colours 0..255, of which image `index` is used; the result has its dtype and device.
/// Throws unless both thetas > 0 and finite.
Tensor bilateral_features(const Tensor& image, int64_t index, double theta_position, double theta_colour);

}  // namespace tensor
