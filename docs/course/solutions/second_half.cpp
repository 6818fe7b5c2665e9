/// Chapters 7 to 12.
#include <cuda_runtime.h>

#include <cmath>

#include "cris/metrics.h"
#include "cris/report/statistics.h"
#include "cris/strategy.h"
#include "cris/study/median_pruner.h"
#include "docs/course/solutions/solutions.h"
#include "tensor/conv_shape.h"

namespace course {

namespace {

using autograd::Variable;
using tensor::Device;
using tensor::Tensor;

/// q = z + w tanh(q / 2), ten times.
double mean_field_of_one(double z, double w) {
  double q = z;
  for (int t = 0; t < 10; ++t) q = z + w * std::tanh(q / 2);
  return q;
}

/// Adds up 32 numbers with a shuffle that starts at `distance`.
__global__ void sum_from(int distance, const float* x, float* y) {
  float v = x[threadIdx.x];
  for (int d = distance; d > 0; d /= 2) v += __shfl_down_sync(~0u, v, d);
  if (threadIdx.x == 0) *y = v;
}

float warp_sum_from(int distance) {
  std::vector<float> x(32, 1);
  float y = 0;
  cuda_emulator::run_grid(1, 32, [&] { sum_from(distance, x.data(), &y); });
  return y;
}

}  // namespace

Answers chapter_cris() {
  const cris::Loss sixth = cris::loss_of(cris::Strategy::cris, {}, {.epoch = 6});
  const Tensor truth = Tensor::from<double>({1, 0}, {1, 1, 2, 1}, Device::reference);
  const Variable logits(Tensor::from<double>({0, 0}, {1, 1, 2, 1}, Device::reference));
  const auto value = [&](cris::Loss loss) { return cris::loss_value(loss, {}, logits, logits, truth).value().item(); };
  // One certain and wrong pixel, by the slope at the logit: of the MSE of sigmoid(z), and of the BCE.
  const Variable z(Tensor::from<double>({-10}, {1, 1, 1, 1}, Device::reference), true);
  const Tensor one = Tensor::from<double>({1}, {1, 1, 1, 1}, Device::reference);
  backward(cris::loss_value(cris::Loss::mask_mse, {}, z, z, one));
  const double mse_slope = z.grad().item();
  Variable again(z.value(), true);
  backward(cris::loss_value(cris::Loss::output_bce, {}, again, again, one));
  return {sixth == cris::Loss::mask_mse ? "L1" : "L2", number(value(cris::Loss::mask_mse)),
          number(value(cris::Loss::output_bce)), number(again.grad().item() / mse_slope)};
}

Answers chapter_mean_field() {
  return {number(mean_field_of_one(0.1, 1)), number(mean_field_of_one(0.1, 4)), number(std::exp(-0.5 * 2 * 2)),
          number(256.0 * 256 * 256 * 256)};
}

Answers chapter_measuring() {
  const cris::Counts c{.true_positive = 30, .false_positive = 10, .false_negative = 20};
  const cris::Counts half{.true_positive = 1, .false_positive = 1, .false_negative = 1};
  // Three images, pooled.
  cris::Counts pooled{.true_positive = 90, .false_positive = 10};
  pooled += {.false_negative = 10}, pooled += {.true_positive = 5, .false_positive = 5};
  return {number(cris::dice(c)), number(cris::iou(half)), number(cris::dice(pooled)),
          number(cris::dice({.false_positive = 7}))};
}

Answers chapter_fast_on_a_cpu() {
  const tensor::ConvShape z{
      .n = 1, .h = 128, .w = 128, .c = 16, .k = 16, .r = 3, .s = 3, .p = 128, .q = 128, .stride = 1, .padding = 1};
  const double tile = 4 * 4 * 9, winograd = 6 * 6;  // multiplications for 4x4 results, 3x3 taps
  const double bytes = (128 * 128 * 16 * 2 + 16 * 9 * 16) * 4.0;
  return {number(z.flops() / 1e6), number(tile / winograd), number(z.flops() / bytes), number(1 / (0.1 + 0.9 / 4))};
}

Answers chapter_cuda() {
  return {number(warp_sum_from(16)), number(warp_sum_from(8)), number((1000 + 255) / 256), "no"};
}

Answers chapter_study() {
  const std::vector<double> rates{1e-6, 1e-2};
  std::vector<cris::Trial> complete;
  for (int i = 0; i < 4; ++i)
    complete.push_back({.id = i, .number = i, .state = cris::TrialState::complete, .intermediate = {{0, 0.5}}});
  const cris::Trial fifth{.id = 4, .number = 4, .intermediate = {{0, 0.1}}};
  const bool pruned = cris::MedianPruner{}.prunes(complete, fifth);
  const auto d = cris::paired_difference({{0.6, 0.7, 0.8}}, {{0.5, 0.6, 0.7}});
  return {number(std::sqrt(rates[0] * rates[1])), pruned ? "yes" : "no", number(std::ceil(0.1 * 20)),
          d.excludes_zero() ? "yes" : "no"};
}

}  // namespace course
