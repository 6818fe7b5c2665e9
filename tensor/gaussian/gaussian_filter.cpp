/// Gaussian filters: features, normalisation, and the choice between exact and lattice.
#include "tensor/gaussian/gaussian_filter.h"

#include <cmath>
#include <exception>

#include "tensor/dispatch.h"
#include "tensor/machine/parallel.h"
#include "tensor/machine/threads.h"
#include "tensor/ops.h"

namespace tensor {
namespace {

Device host(Device device) { return device == Device::cuda ? Device::cpu : device; }

void check_theta(const char* what, double theta) {
  check(std::isfinite(theta) && theta > 0, "{}: theta = {} must be positive", what, theta);
}

/// f(n) for every image. On the cpu each image is one thread's, because the steps within a small one are too short to
/// share; a single image is shared all the same.
template <class F>
void each_image(int64_t images, Device device, const F& f) {
  if (device != Device::cpu) {
    for (int64_t n = 0; n < images; ++n) f(n);
    return;
  }
  std::vector<std::exception_ptr> failures(images);
  parallel_chunks(images, [&](int64_t n) {
    try {
      f(n);
    } catch (...) {
      failures[n] = std::current_exception();
    }
  });
  for (const std::exception_ptr& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

GaussianFilter::GaussianFilter(GaussianKind kind, Normalisation normalisation, const Tensor& features)
    : kind_(kind), points_(features.shape()[0]) {
  const Shape& s = features.shape();
  check(s.rank() == 2 && s[0] >= 1, "gaussian filter: features {} must be [points, d]", s);
  if (kind == GaussianKind::exact)
    features_ = features;
  else
    lattice_ = build_lattice(features.to(host(features.device()))).to(features.device());

  const Tensor ones = full({1, points_, 1}, 1, features.dtype(), features.device());
  const Tensor norm({1, points_, 1}, features.dtype(), features.device());
  filter({}, ones, norm);
  const Device device = norm.device();
  if (device == Device::plan) {
    after_ = norm.reshape({points_});
  } else {
    visit_float(norm.dtype(), "gaussian filter", [&]<class T>() {
      const Tensor on_host = norm.to(host(device));
      for (T *k = on_host.data<T>(), *end = k + points_; k != end; ++k) {
        const T sum = *k + T(1e-20);
        *k = T(1) / (normalisation == Normalisation::row ? sum : std::sqrt(sum));
      }
      after_ = on_host.to(device).reshape({points_});
    });
  }
  if (normalisation == Normalisation::symmetric) before_ = after_;
}

void GaussianFilter::filter(const GaussianPass& pass, const Tensor& x, const Tensor& y) const {
  kind_ == GaussianKind::exact ? run(&Backend::exact_gaussian, features_, pass, x, y)
                               : run(&Backend::lattice_gaussian, lattice_, pass, x, y);
}

void GaussianFilter::apply(int64_t image, bool transpose, const Tensor& x, const Tensor& y) const {
  const Shape& s = x.shape();
  check(s.rank() == 3 && s[1] == points_ && image >= 0 && image < s[0],
        "gaussian filter of {} points: cannot filter image {} of {}", points_, image, s);
  check(y.shape() == s, "gaussian filter: the result {} must have x's shape {}", y.shape(), s);
  check(x.dtype() == after_.dtype() && x.device() == after_.device(), "gaussian filter of {} on {}: x is {} on {}",
        name(after_.dtype()), name(after_.device()), name(x.dtype()), name(x.device()));
  filter({image, transpose, transpose ? after_ : before_, transpose ? before_ : after_}, x, y);
}

void apply_each(const GaussianFilters& filters, bool transpose, const Tensor& x, const Tensor& y) {
  const int64_t images = x.shape()[0];
  check(int64_t(filters.size()) == images, "gaussian filters: {} filters for the {} images of {}", filters.size(),
        images, x.shape());
  each_image(images, x.device(), [&](int64_t n) { filters[n]->apply(n, transpose, x, y); });
}

GaussianFilters build_each(GaussianKind kind, Normalisation normalisation, const std::vector<Tensor>& features) {
  GaussianFilters y(features.size());
  if (y.empty()) return y;
  each_image(int64_t(y.size()), features.front().device(),
             [&](int64_t n) { y[n] = std::make_shared<GaussianFilter>(kind, normalisation, features[n]); });
  return y;
}

int64_t GaussianFilter::bytes() const { return features_.bytes() + lattice_.bytes() + after_.bytes(); }

Tensor spatial_features(int64_t height, int64_t width, double theta, DType dtype, Device device) {
  check_theta("spatial features", theta);
  const Tensor features({height * width, 2}, dtype, host(device));
  if (device == Device::plan) return features;
  visit_float(dtype, "spatial features", [&]<class T>() {
    T* f = features.data<T>();
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x) {
        *f++ = T(y) / T(theta);
        *f++ = T(x) / T(theta);
      }
  });
  return features.to(device);
}

Tensor bilateral_features(const Tensor& image, int64_t index, double theta_position, double theta_colour) {
  check_theta("bilateral features", theta_position);
  check_theta("bilateral features", theta_colour);
  const Shape& s = image.shape();
  check(s.rank() == 4 && s[3] == 3, "bilateral features: image {} must be [N, H, W, 3]", s);
  check(index >= 0 && index < s[0], "bilateral features: no image {} in {}", index, s);
  const Device device = image.device();
  const Tensor features({s[1] * s[2], 5}, image.dtype(), host(device));
  if (device == Device::plan) return features;
  const Tensor source = image.to(host(device));
  visit_float(image.dtype(), "bilateral features", [&]<class T>() {
    parallel_for(s[1], 16, [&](int64_t first, int64_t last) {
      T* f = features.data<T>() + first * s[2] * 5;
      const T* colour = source.data<T>() + (index * s[1] + first) * s[2] * 3;
      for (int64_t y = first; y < last; ++y)
        for (int64_t x = 0; x < s[2]; ++x) {
          *f++ = T(y) / T(theta_position);
          *f++ = T(x) / T(theta_position);
          for (int c = 0; c < 3; ++c) *f++ = *colour++ / T(theta_colour);
        }
    });
  });
  return features.to(device);
}

}  // namespace tensor
