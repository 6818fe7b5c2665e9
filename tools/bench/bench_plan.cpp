/// The step runs on Device::plan, which counts; each convolution is then the slowest of four things that it keeps busy.
#include "tools/bench/bench_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "cris/run/experiment.h"
#include "cris/training_step.h"
#include "nn/dropout.h"
#include "tensor/cuda/product_plan.h"
#include "tensor/cuda/tensors.h"
#include "tensor/dispatch.h"
#include "tensor/plan/plan.h"
#include "tensor/precision.h"

namespace tools {
namespace {

using tensor::ConvPass;
using tensor::ConvShape;
using tensor::DType;

/// Parts of a figure that are reached where everything goes well: tensor cores by mma.sync, the L2 cache, memory, issue
/// slots. The first is of arXiv 2402.13499; the others are guesses, to be measured.
constexpr double kTensorPart = 0.62, kL2Part = 0.9, kMemoryPart = 0.85, kIssuePart = 0.75, kElementwisePart = 0.75;

/// What a block does for one tile of its sum: 64 bytes of patches, or of channels where windows share their pixels.
struct Tile {
  double depth, bytes, warps;
  double instructions;  ///< of a warp, counted in nvcc's output for capability 9.0 (docs/reference/cuda.md)
};
Tile tile_of(ConvPass pass, bool bf16, bool windows, int rows, int columns) {
  const auto of = [&](double narrow, double middle, double wide) {
    return columns == 32 ? narrow : columns == 64 ? middle : wide;
  };
  const double warps = rows * columns == 256 * 128 ? 16 : 8, depth = bf16 ? 32 : 16;
  // Pixels with their border: of 4 lines, met by nine taps' gradient, and of rows / 16 lines, once for nine taps.
  if (windows && pass == ConvPass::grad_weight) return {64, 6 * 18 * 64 + 64 * 64 * 2, 4, 624};
  if (windows)
    return {depth, ((rows / 16 + 2) * 18 / 9.0 + columns) * 64, warps, rows < 256 ? of(83, 88, 117) : of(0, 118, 108)};
  const double bytes = (rows + columns) * 64;
  if (rows == 256) return {depth, bytes, warps, columns == 64 ? 193.0 : 158};
  if (pass == ConvPass::grad_weight) return {depth, bytes, warps, bf16 ? of(158, 164, 191) : of(223, 242, 317)};
  return {depth, bytes, warps, bf16 ? of(129, 141, 168) : of(200, 232, 300)};
}

/// One pass as an implicit GEMM. Launches beside the product's own: slices added up.
struct Product {
  double seconds;
  int64_t more_launches;
};
Product product_of(const tensor::PlannedConvolution& c, const DeviceFigures& f) {
  const ConvShape& z = c.z;
  const bool bf16 = c.dtype == DType::bf16;
  const double element = bf16 ? 2 : 4, peak = f.tflops * 1e12 / (bf16 ? 1 : 2);
  const auto vectors = [&](int64_t channels) { return bf16 && channels < 8 ? 8 : channels; };
  const int64_t in = z.n * z.h * z.w, out = z.n * z.p * z.q, taps = z.r * z.s;
  ConvShape product = z;  // forward and the input's gradient are this convolution
  if (c.pass == ConvPass::grad_input)
    product.k = vectors(z.k), product = product.turned();
  else
    product.c = vectors(z.c);
  int64_t m = product.n * product.p * product.q, n = product.k, depth = taps * product.c;
  const bool one_product = c.pass == ConvPass::grad_input && z.stride > 1;  // windows that tile the image
  if (c.pass == ConvPass::grad_weight)
    m = taps * product.c, n = z.k, depth = out;
  else if (one_product)
    m = out, n = taps * z.c, depth = z.k;
  using tensor::cuda::ProductPlan;
  const bool patches = c.pass != ConvPass::grad_weight && !one_product;
  const bool windows = bf16 && ProductPlan::has_windows(c.pass, z);
  // As implicit_gemm.cu's kTall.
  const ProductPlan plan = !windows                          ? ProductPlan(m, n, depth, bf16 ? 32 : 16, bf16 && patches)
                           : c.pass == ConvPass::grad_weight ? ProductPlan::of_windows_gradient(product)
                                                             : ProductPlan::of_windows(product);
  const Tile tile = tile_of(c.pass, bf16, windows, plan.rows, plan.columns);
  const bool counts_tiles = windows && c.pass == ConvPass::grad_weight;
  const double tiles = counts_tiles ? double(plan.k_per_slice) : std::ceil(double(plan.k_per_slice) / tile.depth);
  const double blocks = double(plan.blocks * plan.slices), waves = std::ceil(blocks / double(f.multiprocessors));
  const double partial = double(plan.workspace(m, n)) * 4;
  const double tensor_cores = 2 * blocks * tiles * tile.depth * plan.rows * plan.columns / (kTensorPart * peak);
  const double l2 = (blocks * tiles * tile.bytes + partial) / (kL2Part * f.l2_gbs * 1e9);
  const double memory =
      (double(in * z.c + out * z.k) * element + double(z.k * taps * z.c) * 4) / (kMemoryPart * f.memory_gbs * 1e9);
  const double schedulers = 4;  // in a multiprocessor
  const double issue = waves * tiles * tile.instructions * tile.warps / schedulers / (kIssuePart * f.ghz * 1e9);
  const double slices = partial / (kL2Part * f.l2_gbs * 1e9);
  return {std::max({tensor_cores, l2, memory, issue}) * 1.1 + slices, int64_t(plan.slices > 1)};
}

/// As tensor/cuda/convolution.cpp's takes_parts.
bool cuda_takes_parts(const ConvShape& z, const std::vector<int64_t>& channels, DType dtype) {
  using tensor::cuda::ProductPlan;
  const auto windows = [&](ConvPass pass) { return ProductPlan::has_windows(pass, z); };
  return dtype == DType::bf16 && windows(ConvPass::forward) && windows(ConvPass::grad_input) &&
         windows(ConvPass::grad_weight) && ProductPlan::takes_parts(z, channels);
}

struct PlannedLayer {
  ConvShape z;
  double seconds[3] = {};
  int64_t times[3] = {};
};
auto key(const ConvShape& z) { return std::tuple(z.n, z.h, z.w, z.c, z.k, z.r, z.s, z.p, z.q, z.stride, z.padding); }

double bytes_of(const tensor::PlannedConvolution& c) {
  const ConvShape& z = c.z;
  return double(z.n) * double(z.h * z.w * z.c + z.p * z.q * z.k) * double(tensor::size_of(c.dtype)) +
         double(z.k * z.r * z.s * z.c) * 4;
}

/// What a step on Device::plan asked for.
struct Planned {
  std::vector<tensor::PlannedConvolution> convolutions;
  tensor::PlanCounts counts;
  int64_t launches = 0;  ///< about: a call is one launch, or a few, and a GPU gathers some
};
Planned plan_step(const cris::Config& config, cris::Loss loss) {
  constexpr tensor::Device kPlan = tensor::Device::plan;
  Planned planned;
  cris::Model model(cris::model_options(config));
  model.to(kPlan);
  const auto optimizer = nn::make_optimizer(model, config.optimizer);
  const int64_t n = config.train.batch, size = config.data.size;
  const tensor::Tensor x({n, size, size, 3}, DType::f32, kPlan), mask({n, size, size, 1}, DType::f32, kPlan);
  nn::set_random_step(model, 0, 0);
  const auto before = tensor::set_planned_convolutions(&planned.convolutions);
  tensor::plan_counts() = {};
  cris::compute_gradients(model, loss, {.strategy = config.model.strategy, .watch_gradients = false}, x, mask);
  planned.launches = tensor::plan_counts().calls;
  // A norm that ran: its statistics' end moves the running values, seven calls here; its two sums have ends.
  for (const auto& batches : model.counters())
    if (*batches.value > 0) planned.launches += 2 - 7;
  int64_t updates = 0;
  for (const auto& p : model.parameters()) updates += p.value->grad().defined();
  planned.launches += (updates + tensor::cuda::kTensorsInLaunch - 1) / tensor::cuda::kTensorsInLaunch;
  optimizer->step(1e-3);
  planned.counts = tensor::plan_counts();
  tensor::set_planned_convolutions(before);
  return planned;
}

void print_step(const char* title, const Planned& planned, const DeviceFigures& f) {
  std::map<decltype(key(ConvShape{})), size_t> rows;
  std::vector<PlannedLayer> layers;
  int64_t launched = planned.launches;
  double convolutions = 0, flops = 0, bytes = planned.counts.bytes;
  for (const tensor::PlannedConvolution& c : planned.convolutions) {
    const auto [at, fresh] = rows.try_emplace(key(c.z), layers.size());
    if (fresh) layers.push_back({c.z});
    const auto [seconds, more_launches] = product_of(c, f);
    launched += more_launches;
    PlannedLayer& layer = layers[at->second];
    layer.seconds[size_t(c.pass)] += seconds, ++layer.times[size_t(c.pass)];
    convolutions += seconds, flops += c.z.flops(), bytes -= bytes_of(c);
  }
  fmt::print("\n{}\n{:<34} {:>5} {:>9} {:>9} {:>9} {:>9}\n", title, "convolution", "times", "forward", "d image",
             "d weight", "TFLOP/s");
  for (const PlannedLayer& l : layers) {
    const int64_t times = std::max({l.times[0], l.times[1], l.times[2]});
    const double seconds = l.seconds[0] + l.seconds[1] + l.seconds[2];
    const double passes = double(l.times[0] + l.times[1] + l.times[2]);
    const std::string name = fmt::format("{}x{} {} -> {} channels, {}x{}", l.z.r, l.z.s, l.z.c, l.z.k, l.z.h, l.z.w);
    fmt::print("{:<34} {:>5} {:>9.0f} {:>9.0f} {:>9.0f} {:>9.0f}\n", name, times, 1e6 * l.seconds[0],
               1e6 * l.seconds[1], 1e6 * l.seconds[2], passes * l.z.flops() / seconds / 1e12);
  }
  const double rest = std::max(0.0, bytes) / (kElementwisePart * f.memory_gbs * 1e9);
  const double launches = double(launched) * f.launch_us * 1e-6;
  fmt::print(
      "convolutions {:.2f} ms ({:.3f} TFLOP, {:.0f} TFLOP/s); all else moves {:.2f} GB, {:.2f} ms; about {} launches, "
      "{:.2f} ms\nstep: {:.1f} ms\n",
      1e3 * convolutions, flops / 1e12, flops / convolutions / 1e12, std::max(0.0, bytes) / 1e9, 1e3 * rest, launched,
      1e3 * launches, 1e3 * (convolutions + rest + launches));
}

}  // namespace

void bench_plan(const cris::Config& config, const DeviceFigures& f) {
  const bool bf16 = config.run.precision == tensor::Precision::bf16;
  if (!bf16 && config.run.precision != tensor::Precision::tf32)
    throw cris::ConfigError("bench --plan knows tensor cores: choose --precision bf16 or tf32");
  fmt::print(
      "An estimate, not a measurement, for {:.0f} TFLOP/s, {:.0f} GB/s of memory, {:.0f} of L2, {} multiprocessors at "
      "{} GHz, {} us a launch.\nMicroseconds, {} {}, batch {} of {}x{}, {}.\n",
      f.tflops, f.memory_gbs, f.l2_gbs, f.multiprocessors, f.ghz, f.launch_us, name(config.model.backbone.kind),
      config.model.backbone.base, config.train.batch, config.data.size, config.data.size, name(config.run.precision));
  const tensor::Precision before = tensor::precision();
  tensor::set_precision(config.run.precision);
  const auto device = tensor::set_planned_device(tensor::Device::cpu);
  const auto absent = tensor::set_absent_device(
      tensor::AbsentDevice{tensor::Device::cuda, bf16 ? DType::bf16 : DType::f32, cuda_takes_parts});
  const bool both = config.model.strategy == cris::Strategy::cris;
  print_step(both ? "a step by the mask's loss" : "a step",
             plan_step(config, both ? cris::Loss::mask_mse : cris::Loss::output_bce), f);
  if (both) print_step("a step by the output's loss", plan_step(config, cris::Loss::output_bce), f);
  tensor::set_absent_device(absent);
  tensor::set_planned_device(device);
  tensor::set_precision(before);
}

}  // namespace tools
