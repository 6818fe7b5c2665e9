/// Chapter 8: mean field. Pixels that are near and alike persuade each other.
#include <fmt/format.h>

#include <cmath>

#include "cris/crf.h"
#include "cris/report/svg_chart.h"
#include "docs/course/figure.h"
#include "tensor/relative_error.h"

using autograd::Variable;
using tensor::Device;
using tensor::Tensor;

namespace {

constexpr int64_t kSide = 24;

bool in_disc(int64_t i) { return std::hypot(double(i / kSide) - 11.5, double(i % kSide) - 11.5) < 7; }

double wrong_percent(const Tensor& logits) {
  const std::vector<double> z = logits.to_vector();
  int wrong = 0;
  for (int64_t i = 0; i < kSide * kSide; ++i) wrong += (z[size_t(i)] > 0) != in_disc(i);
  return 100.0 * wrong / double(kSide * kSide);
}

}  // namespace

int main(int argc, char** argv) {
  // On a map that is the same everywhere the mean field is one number: q = z + (a + b) tanh(q / 2).
  for (const double weights : {2.0, 8.0}) {
    double q = 0.1;
    for (int t = 0; t < 10; ++t) q = 0.1 + weights * std::tanh(q / 2);
    fmt::print("weights {}: the logit 0.1 becomes {:.3f}\n", weights, q);
  }
  fmt::print("\n");

  // A red disc on a brown ground, and a network that is unsure: its logits are right on average, and noisy.
  std::vector<double> colours, noisy;
  for (int64_t i = 0; i < kSide * kSide; ++i) {
    const double noise = tensor::normal({1, 0, 0}, uint64_t(i));
    const double bright = in_disc(i) ? 0.8 : 0.5;
    for (const double c : {bright, 0.3, 0.3}) colours.push_back(c + 0.01 * noise);
    noisy.push_back((in_disc(i) ? 1.0 : -1.0) + 1.5 * tensor::normal({2, 0, 0}, uint64_t(i)));
  }
  const Tensor image = Tensor::from(colours, {1, kSide, kSide, 3}, Device::reference);
  const Variable logits(Tensor::from(noisy, {1, kSide, kSide, 1}, Device::reference));
  const auto crf_of = [](double spatial, double bilateral, tensor::GaussianKind kind) {
    cris::Crf crf(
        {.theta_alpha = 8, .theta_beta = 10, .spatial_weight = spatial, .bilateral_weight = bilateral, .kind = kind});
    crf.to(tensor::DType::f64), crf.to(Device::reference);
    return crf;
  };
  std::vector<cris::Series> lines;
  for (const auto& [a, b] : {std::pair{1.0, 1.0}, {3.0, 5.0}, {3.0, 0.0}}) {
    cris::Crf crf = crf_of(a, b, tensor::GaussianKind::exact);
    lines.push_back({fmt::format("weights {}, {}", a, b), {{0, wrong_percent(logits.value())}}});
    for (int t = 1; t <= 8; ++t)
      lines.back().points.emplace_back(t, wrong_percent(crf.after(t, logits, image).value()));
    fmt::print("{}: wrong pixels {:.1f} % before, {:.1f} % after 1, {:.1f} % after 5 iterations\n", lines.back().name,
               lines.back().points[0].second, lines.back().points[1].second, lines.back().points[5].second);
  }
  course::save(argc, argv, "08-iterations.svg", cris::to_svg({"Wrong pixels", "iteration", "percent", lines}));

  cris::Crf exact = crf_of(1, 1, tensor::GaussianKind::exact),
            lattice = crf_of(1, 1, tensor::GaussianKind::permutohedral);
  fmt::print("\nlattice against exact, after 5 iterations: relative error {:.2f}\n",
             tensor::relative_error(lattice.after(5, logits, image).value().to_vector(),
                                    exact.after(5, logits, image).value().to_vector()));
}
