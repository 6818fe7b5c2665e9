/// Measured steps times counted steps.
#include "cris/study/estimate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "cris/evaluate.h"
#include "cris/run/experiment.h"
#include "cris/run/memory_plan.h"
#include "cris/run/replayed_step.h"
#include "data/synthetic.h"
#include "tensor/backend.h"
#include "tensor/dispatch.h"

namespace cris {

namespace {

struct StepTime {
  double step = 0, image = 0;  ///< seconds of a training step, and of one image in evaluation
};

/// The shortest of `times` calls after `before` that are not timed.
template <class F>
double shortest_after(int before, int times, tensor::Device device, const F& work) {
  double best = INFINITY;
  for (int i = 0; i < before + times; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work(i);
    tensor::backend(device).synchronize();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (i >= before) best = std::min(best, seconds);
  }
  return best;
}

/// A batch of drawn pictures: the CRF's filters depend on what is in them.
data::Batch drawn_batch(const Config& config) {
  const int64_t n = config.train.batch, size = config.data.size, drawn = std::max<int64_t>(size, 32);
  data::Batch batch{.x = tensor::Tensor({n, size, size, 3}, tensor::DType::f32, tensor::Device::cpu),
                    .mask = tensor::Tensor({n, size, size, 1}, tensor::DType::f32, tensor::Device::cpu),
                    .samples = {}};
  for (int64_t i = 0; i < n; ++i) {
    const data::Sample s = data::resize(data::synthesize(0, i, drawn, drawn), size, size);
    data::to_unit(s.image, batch.x.data<float>() + i * size * size * 3);
    data::to_binary(s.mask, batch.mask.data<float>() + i * size * size);
  }
  batch.x = batch.x.to(config.run.device), batch.mask = batch.mask.to(config.run.device);
  return batch;
}

StepTime measure(Config config) {
  const tensor::Device device = config.run.device;
  const data::Batch batch = drawn_batch(config);
  // Epochs of both losses come equally often; here they take turns from step to step.
  if (config.cris.alternate == Alternate::epoch) config.cris.alternate = Alternate::step;
  const auto model = make_model(config);
  const auto optimizer = nn::make_optimizer(*model, config.optimizer);
  ReplayedStep step(*model, *optimizer,
                    {.strategy = config.model.strategy, .cris = config.cris, .watch_gradients = true},
                    config.run.replay);
  model->train(true);
  StepTime time;
  // Two steps, one of each loss.
  time.step = 0.5 * shortest_after(1, 2, device, [&](int i) {
                for (int turn = 0; turn < 2; ++turn)
                  step.take({.batch = 2 * i + turn, .number = uint32_t(2 * i + turn)}, batch.x, batch.mask, 1e-4);
              });
  time.step *= double(turns(config.model.strategy, config.cris));
  model->train(false);
  time.image = shortest_after(1, 1, device, [&](int) { probabilities(*model, batch.x); }) / double(config.train.batch);
  return time;
}

}  // namespace

std::vector<CellTime> estimate_times(const Plan& plan, const std::string& device, int64_t threads, Progress& progress) {
  std::map<std::string, StepTime> measured;
  std::vector<CellTime> times;
  for (const Cell& cell : plan.cells) {
    Config config = on_this_machine(cell.config, device, threads);
    config.data.protocol = data::Protocol::random;
    const std::string key = to_toml(config);
    if (!measured.contains(key)) {
      apply_run_settings(config);
      require_memory(config, 1000);
      const StepTime t = measured[key] = with_memory_advice(config, Purpose::train, [&] { return measure(config); });
      progress.message(fmt::format("measured {} {}: {:.1f} ms a step, {:.2f} ms an image in evaluation",
                                   name(config.model.backbone.kind), name(config.model.strategy), 1e3 * t.step,
                                   1e3 * t.image));
    }
    const StepTime& t = measured[key];
    const int64_t given = set_of(plan, cell.set).images, images = given > 0 ? given : 1000;
    const double held_out = std::round(0.15 * double(images)), training = double(images) - 2 * held_out;
    const double epoch = std::ceil(training / double(config.train.batch)) * t.step + held_out * t.image;
    times.push_back({.trial = double(plan.trial_epochs) * epoch,
                     .final_run = double(plan.epochs) * epoch + (training + held_out) * t.image});
  }
  return times;
}

std::string plan_text(const Plan& plan, const std::vector<CellTime>& times) {
  size_t width = 4;
  for (const Cell& c : plan.cells) width = std::max(width, c.name.size());
  std::string text = fmt::format("     {:<{}}  trials  final runs{}\n", "cell", width,
                                 times.empty() ? "" : "     a trial  a final run     in all");
  double trials_seconds = 0, runs_seconds = 0;
  int64_t trials = 0;
  const auto runs = int64_t(plan.seeds.size());
  for (size_t i = 0; i < plan.cells.size(); ++i) {
    const Cell& c = plan.cells[i];
    const int64_t own_trials = c.tuned ? plan.trials : 0;
    trials += own_trials;
    text += fmt::format("{:>3}  {:<{}}  {:>6}  {:>10}", i + 1, c.name, width, own_trials, runs);
    if (!times.empty()) {
      const double tuning = double(own_trials) * times[i].trial, training = double(runs) * times[i].final_run;
      trials_seconds += tuning, runs_seconds += training;
      text += fmt::format("{:>12}{:>13}{:>11}", duration_text(times[i].trial), duration_text(times[i].final_run),
                          duration_text(tuning + training));
    }
    text += "\n";
  }
  text += fmt::format("{} cells; {} trials of {} epochs; {} final runs of {} epochs\n", plan.cells.size(), trials,
                      plan.trial_epochs, runs * int64_t(plan.cells.size()), plan.epochs);
  if (!times.empty())
    text += fmt::format(
        "one worker like this one: at most {} of trials, as pruning shortens some, and {} of final runs, together at "
        "most {}\n",
        duration_text(trials_seconds), duration_text(runs_seconds), duration_text(trials_seconds + runs_seconds));
  return text;
}

}  // namespace cris
