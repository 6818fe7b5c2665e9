/// cris bench: whole steps (`train`, `infer`) as one JSON line, or every op beside the machine's own ceilings.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "autograd/op_cases.h"
#include "cris/evaluate.h"
#include "cris/metrics.h"
#include "cris/run/experiment.h"
#include "cris/run/memory_plan.h"
#include "cris/run/replayed_step.h"
#include "data/synthetic.h"
#include "tensor/cpu_kernels.h"
#include "tensor/dispatch.h"
#include "tensor/gaussian/gaussian_filter.h"
#include "tensor/machine/parallel.h"
#include "tensor/machine/threads.h"
#include "tools/bench/bench_convolutions.h"
#include "tools/bench/bench_plan.h"
#include "tools/bench/shortest.h"
#include "tools/commands/config_options.h"

namespace tools {

namespace {

/// What no kernel of the CPU can exceed: operations a second of multiply-adds in registers on every thread, each
/// counted as 2.
double fma_ceiling() {
  constexpr int64_t kRounds = 20'000'000;
  const tensor::CpuKernels& kernels = tensor::cpu_kernels();
  const int64_t threads = tensor::threads();
  const double seconds =
      shortest(3, [&] { tensor::parallel_chunks(threads, [&](int64_t) { kernels.multiply_adds(kRounds); }); });
  return 24.0 * kernels.lanes * double(kRounds) * double(threads) / seconds;
}

/// Square matrix products, larger and larger until one takes long enough to be timed: what this device multiplies a
/// second in the present precision.
double matmul_ceiling(tensor::Device device) {
  for (int64_t n = 128;; n *= 2) {
    const auto a = tensor::uniform({1, 1, 0}, {n, n}, -1, 1, tensor::DType::f32, device);
    const double seconds = shortest(4, [&] {
      tensor::matmul(a, a);
      tensor::backend(device).synchronize();
    });
    if (seconds > 2e-3 || n == 16384) return 2.0 * double(n) * double(n) * double(n) / seconds;
  }
}

/// Bytes read and written a second by a copy of 128 MB.
double copy_ceiling(tensor::Device device) {
  const tensor::Tensor x = tensor::zeros({1 << 19, 64}, tensor::DType::f32, device);
  const tensor::Tensor y = tensor::zeros(x.shape(), tensor::DType::f32, device);
  const double seconds = shortest(9, [&] {
    tensor::backend(device).copy_channels({x, 0, 64}, {y, 0, 64});
    tensor::backend(device).synchronize();
  });
  return 2.0 * double(x.bytes()) / seconds;
}

struct Ceilings {
  double flops, bytes;  ///< a second
};

/// counts: what the plan device counted in those seconds; without operations or bytes their columns stay empty.
void print_row(std::string_view name, double seconds, const tensor::PlanCounts& counts, const Ceilings& ceilings) {
  const auto column = [](double value, int digits) { return value > 0 ? fmt::format("{:.{}f}", value, digits) : ""; };
  fmt::print("{:<46} {:>9.3f} {:>9} {:>8} {:>6} {:>6}\n", name, 1e3 * seconds, column(counts.flops / seconds / 1e9, 1),
             column(counts.bytes / seconds / 1e9, 1), column(100 * counts.flops / seconds / ceilings.flops, 0),
             column(100 * counts.bytes / seconds / ceilings.bytes, 0));
}

/// The CRF's lattice of one drawn picture of 256x256, with the deviations that strategy crf has by default: building
/// it, always in host memory, and filtering one channel.
void bench_lattice(tensor::Device device, const Ceilings& ceilings) {
  constexpr int64_t kSide = 256;
  const data::Image picture = data::synthesize(5, 0, kSide, kSide).image;
  const tensor::Tensor colours({1, kSide, kSide, 3}, tensor::DType::f32, tensor::Device::cpu);
  std::copy(picture.pixels.begin(), picture.pixels.end(), colours.data<float>());
  const tensor::Tensor features = tensor::bilateral_features(colours, 0, 160.0 * kSide / 500, 3);
  const auto signal = [&](tensor::Device d) {
    return tensor::uniform({1, 3, 0}, {1, kSide * kSide, 1}, 0, 1, tensor::DType::f32, d);
  };
  tensor::Lattice lattice;
  const double build = shortest(9, [&] { lattice = tensor::build_lattice(features); });
  print_row("lattice build 256x256", build, {}, ceilings);
  const tensor::Tensor planned = signal(tensor::Device::plan);
  tensor::plan_counts() = {};
  tensor::run(&tensor::Backend::lattice_gaussian, lattice, {}, planned, planned);
  const tensor::PlanCounts counts = tensor::plan_counts();
  lattice = lattice.to(device);
  const tensor::Tensor x = signal(device), y = signal(device);
  const double pass = shortest(9, [&] {
    tensor::run(&tensor::Backend::lattice_gaussian, lattice, {}, x, y);
    tensor::backend(device).synchronize();
  });
  print_row("lattice pass 256x256, forward", pass, counts, ceilings);
}

int bench_ops(const cris::Config& config) {
  const tensor::Device device = config.run.device;
  const bool cuda = device == tensor::Device::cuda;
  const Ceilings ceilings{cuda ? matmul_ceiling(device) : fma_ceiling(), copy_ceiling(device)};
  fmt::print("ceilings, {}: {:.0f} GFLOP/s {}, {:.1f} GB/s copy\n\n",
             cuda ? fmt::format("cuda {}", name(config.run.precision)) : fmt::format("{} threads", tensor::threads()),
             ceilings.flops / 1e9, cuda ? "in cuBLAS" : "in registers", ceilings.bytes / 1e9);
  fmt::print("{:<46} {:>9} {:>9} {:>8} {:>6} {:>6}\n", "op, forward and backward", "ms", "GFLOP/s", "GB/s", "% peak",
             "% copy");
  for (const autograd::OpCase& c : autograd::large_op_cases()) {
    // The plan device counts what the case computes and moves.
    const auto planned = autograd::case_inputs(c, tensor::DType::f32, tensor::Device::plan);
    const tensor::Shape shape = autograd::run_case(c, planned).y.shape();
    const tensor::Tensor direction = autograd::case_cotangent(shape, tensor::DType::f32, tensor::Device::plan);
    tensor::plan_counts() = {};
    autograd::run_case(c, planned, direction);
    const tensor::PlanCounts counts = tensor::plan_counts();
    const auto inputs = autograd::case_inputs(c, tensor::DType::f32, device);
    const tensor::Tensor cotangent = autograd::case_cotangent(shape, tensor::DType::f32, device);
    autograd::run_case(c, inputs, cotangent);
    const double seconds = shortest(9, [&] {
      autograd::run_case(c, inputs, cotangent);
      tensor::backend(device).synchronize();
    });
    print_row(c.name, seconds, counts, ceilings);
  }
  bench_lattice(device, ceilings);
  fmt::print("\nGFLOP/s count direct convolution, so Winograd may pass the ceiling; GB/s count each argument once.\n");
  return kOk;
}

int bench_steps(const cris::Config& config, bool training, int64_t steps, int64_t warmup, bool as_json) {
  const tensor::Device device = config.run.device;
  const auto model = cris::make_model(config);
  const auto optimizer = nn::make_optimizer(*model, config.optimizer);
  const int64_t n = config.train.batch, size = config.data.size;
  const auto x = tensor::uniform({1, 1, 0}, {n, size, size, 3}, 0, 1, tensor::DType::f32, device);
  const auto mask = tensor::uniform({1, 2, 0}, {n, size, size, 1}, 0, 1, tensor::DType::f32, device);
  const cris::Strategy strategy = config.model.strategy;
  // CRIS alternates its losses from step to step here, so that both kinds of step count.
  const cris::CrisOptions options{.alternate = cris::Alternate::batch};
  cris::ReplayedStep step(*model, *optimizer, {.strategy = strategy, .cris = options, .watch_gradients = false},
                          config.run.replay);
  model->train(training);
  if (!training) model->fold_norms();
  std::vector<double> times;
  for (int64_t i = 0; i < steps + warmup; ++i) {
    const double seconds = shortest(1, [&] {
      if (training)
        step.take({.batch = i, .number = uint32_t(i)}, x, mask, 1e-3);
      else
        cris::probabilities(*model, x);
      tensor::backend(device).synchronize();
    });
    if (i >= warmup) times.push_back(seconds);
  }
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  // Steps of two kinds make two groups of times: of an even number the median lies between them, not in the slower.
  const double median = cris::median(times), least = std::ranges::min(times);
  const int64_t peak = int64_t(usage.ru_maxrss) * 1024;
  if (as_json) {
    const nlohmann::ordered_json json = {{"mode", training ? "train" : "infer"},
                                         {"model", name(config.model.backbone.kind)},
                                         {"base", config.model.backbone.base},
                                         {"size", size},
                                         {"batch", n},
                                         {"threads", tensor::threads()},
                                         {"device", name(config.run.device)},
                                         {"precision", name(config.run.precision)},
                                         {"replay", training && step.replayed()},
                                         {"strategy", name(config.model.strategy)},
                                         {"steps", steps},
                                         {"median_s", median},
                                         {"min_s", least},
                                         {"peak_bytes", peak}};
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("{} base {}, batch {} of {}x{}, {}: median {:.4f} s, least {:.4f} s, {:.1f} images/s, peak {:.2f} GB\n",
               name(config.model.backbone.kind), config.model.backbone.base, n, size, size,
               training ? "training step" : "inference", median, least, double(n) / median, double(peak) / 1e9);
  }
  return kOk;
}

Run setup_bench(CLI::App& app) {
  struct Options {
    explicit Options(CLI::App& app) : config(app, ConfigOptions::kBench) {}
    ConfigOptions config;
    std::string what = "ops";
    int64_t steps = 5, warmup = 2;
    bool json = false, plan = false;
    DeviceFigures figures;
  };
  auto o = std::make_shared<Options>(app);
  app.add_option("WHAT", o->what, "train or infer: whole steps; ops: every op; convolutions: every algorithm (cuda)")
      ->check(CLI::IsMember({"ops", "convolutions", "train", "infer"}));
  app.add_option("--steps", o->steps, "timed steps")->check(CLI::Range(int64_t(1), int64_t(100000)));
  app.add_option("--warmup", o->warmup, "steps before them")->check(CLI::Range(int64_t(0), int64_t(1000)));
  app.add_flag("--json", o->json, "one JSON line (train, infer)");
  auto* plan = app.add_flag("--plan", o->plan, "estimate a training step on a GPU that need not be here (tf32, bf16)");
  const auto figure = [&](const char* option, double& value, const char* what) {
    app.add_option(option, value, what)->check(CLI::PositiveNumber)->needs(plan);
  };
  figure("--tflops", o->figures.tflops, "its tensor cores in bf16, dense, 10^12 a second");
  figure("--memory-gbs", o->figures.memory_gbs, "its memory, 10^9 bytes a second");
  figure("--l2-gbs", o->figures.l2_gbs, "its L2 cache, 10^9 bytes a second");
  figure("--launch-us", o->figures.launch_us, "from one kernel to the next, microseconds");
  figure("--ghz", o->figures.ghz, "its clock");
  app.add_option("--multiprocessors", o->figures.multiprocessors, "how many it has")
      ->check(CLI::Range(int64_t(1), int64_t(10000)))
      ->needs(plan);
  add_example(app, "bench");
  add_example(app, "bench train --backbone unet --base 16 --size 128 --batch 4 --json");
  return [o] {
    const cris::Config config = o->config.config();
    if (o->plan) {
      if (o->what != "ops" && o->what != "train")
        throw Failure(kUsage, "--plan estimates a training step: leave {} away", o->what);
      if (o->json) throw Failure(kUsage, "--plan prints a table: it has no --json");
      bench_plan(config, o->figures);
      return int(kOk);
    }
    cris::apply_run_settings(config);
    if (o->what == "ops") return bench_ops(config);
    if (o->what == "convolutions") {
      bench_convolutions(config);
      return int(kOk);
    }
    const bool training = o->what == "train";
    return cris::with_memory_advice(config, training ? cris::Purpose::train : cris::Purpose::predict,
                                    [&] { return bench_steps(config, training, o->steps, o->warmup, o->json); });
  };
}

const Command bench(85, "bench", "time of ops and of whole steps", setup_bench);

}  // namespace

}  // namespace tools
