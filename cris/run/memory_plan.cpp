/// The summary: one forward pass under an observer, then a training and an inference step for their peaks.
#include "cris/run/memory_plan.h"

#include <algorithm>
#include <map>

#include "cris/run/progress.h"
#include "cris/training_step.h"
#include "nn/graph.h"
#include "tensor/dispatch.h"
#include "tensor/machine/allocator.h"
#include "tensor/plan/plan.h"

namespace cris {

namespace {

constexpr tensor::Device kPlan = tensor::Device::plan;

struct Batch {
  tensor::Tensor x, mask;
};

Batch plan_batch(const Config& c) {
  const int64_t n = c.train.batch, s = c.data.size;
  return {tensor::Tensor({n, s, s, 3}, tensor::DType::f32, kPlan),
          tensor::Tensor({n, s, s, 1}, tensor::DType::f32, kPlan)};
}

/// While it lives, the configured device is planned in the configured precision, or the cpu where this build or machine
/// lacks it.
class PlannedDevice {
 public:
  explicit PlannedDevice(const Config& c)
      : before_(tensor::set_planned_device(tensor::Device::cpu)), precision_before_(tensor::precision()) {
    tensor::set_precision(c.run.precision);
    try {
      tensor::backend(c.run.device).synchronize();
      tensor::set_planned_device(c.run.device);
    } catch (const tensor::Error&) {
    }
  }
  ~PlannedDevice() {
    tensor::set_planned_device(before_);
    tensor::set_precision(precision_before_);
  }
  PlannedDevice(const PlannedDevice&) = delete;
  PlannedDevice& operator=(const PlannedDevice&) = delete;

 private:
  tensor::Device before_;
  tensor::Precision precision_before_;
};

int64_t inference_peak(const Config& c) {
  ModelOptions options = model_options(c);
  options.crf.cache_bytes = 0;
  Model model(options);
  model.to(kPlan);
  model.train(false);
  const Batch batch = plan_batch(c);
  tensor::reset_peak_memory(kPlan);
  const autograd::NoGrad no_graph;
  model.fold_norms();
  const Outputs out = model(Variable(batch.x));
  return tensor::memory_stats(kPlan).peak;
}

/// Mean bytes of the bilateral filter of an image: of the first training images (a split is in random order), or
/// planned.
int64_t filter_bytes(const Config& c, const ExperimentData* data) {
  tensor::Tensor x = plan_batch(c).x;
  if (data != nullptr) {
    data::Loader loader(data->training, {.batch = 8, .shuffle = false});
    loader.start(0);
    x = loader.next(tensor::Device::cpu)->x;
  }
  Crf crf(model_options(c).crf);
  const int64_t images = x.shape()[0];
  int64_t bytes = 0;
  for (const auto& filter : crf.bilateral_filters(x)) bytes += filter->bytes();
  return bytes / images;
}

}  // namespace

std::string grouped(int64_t n) {
  std::string text = std::to_string(n);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

ModelSummary summarize(const Config& config, const ExperimentData* data) {
  const PlannedDevice planned(config);
  ModelSummary s;
  s.inference_bytes = inference_peak(config);
  Model model(model_options(config));
  model.to(kPlan);
  s.parameters = model.parameter_count();
  s.backbone_parameters = model.backbone->parameter_count();
  s.resume_bytes = 2 * 3 * s.parameters * int64_t(sizeof(float));
  const Batch batch = plan_batch(config);
  {
    std::map<uint64_t, LayerRow> rows;
    tensor::plan_counts() = {};
    double flops_before = 0;
    const auto before = autograd::set_observer([&](const autograd::Observed& o) {
      const double flops = tensor::plan_counts().flops;
      rows[o.order] = {.name = "",
                       .op = o.op,
                       .joins = {},
                       .relu = false,
                       .output = o.result.shape(),
                       .parameters = 0,
                       .macs = (flops - flops_before) / 2,
                       .activation_bytes = o.result.bytes()};
      flops_before = flops;
    });
    nn::set_random_step(model, 0, 0);
    const Variable out = model(Variable(batch.x)).output;
    autograd::set_observer(before);
    for (const auto& [order, parameters] : nn::parameters_of_ops(model, out)) {
      LayerRow& row = rows[order];
      row.name = parameters.front().name.substr(0, parameters.front().name.find_last_of('.'));
      for (const auto& p : parameters) row.parameters += p.value->value().size();
    }
    for (auto& [order, place] : nn::places_of_ops(model, out))
      if (const auto row = rows.find(order); row != rows.end())
        row->second.joins = std::move(place.joins), row->second.relu = place.relu;
    for (auto& [order, row] : rows) s.macs += row.macs, s.layers.push_back(std::move(row));
  }
  // Recorded steps read their batch from memory of its own, and leave their gradients in such. Meanwhile the next batch
  // comes.
  const bool records = config.run.device == tensor::Device::cuda && config.run.replay && !model.crf;
  const Batch recorded = records ? plan_batch(config) : Batch{}, following = records ? plan_batch(config) : Batch{};
  std::vector<tensor::Tensor> recorded_gradients;
  if (records)
    for (const auto& p : model.parameters())
      recorded_gradients.emplace_back(p.value->shape(), tensor::DType::f32, kPlan);
  const auto optimizer = nn::make_optimizer(model, config.optimizer);
  // In an odd epoch, when strategy cris trains all of the model. The first step allocates the moments; the second is
  // what a run repeats.
  const auto step = [&] {
    training_step(model, *optimizer, {.strategy = model.options.strategy}, {.epoch = 1}, batch.x, batch.mask, 1e-3);
  };
  step();
  tensor::reset_peak_memory(kPlan);
  step();
  s.training_bytes = tensor::memory_stats(kPlan).peak;
  if (model.crf) {
    const int64_t each = filter_bytes(config, data), limit = model.crf->options.cache_bytes;
    // The plan holds the filters of a batch, of the planned size.
    const int64_t larger = config.train.batch * (each - filter_bytes(config, nullptr));
    s.inference_bytes += larger;
    if (data != nullptr) {
      // Overfitted images are validated as well.
      const int64_t images = data->training->size() + (config.train.overfit > 0 ? 0 : data->validation->size());
      const int64_t others = images - config.train.batch;
      s.kept_bytes = std::min(limit, each * std::max<int64_t>(0, others));
      s.training_bytes += larger + s.kept_bytes;
    } else {
      s.more_for_each_image = std::min(limit, each);
    }
  }
  return s;
}

std::string memory_advice(const Config& config, int64_t limit_bytes, int64_t refused_bytes, Purpose purpose) {
  const bool train = purpose == Purpose::train;
  const auto planned = [&](int64_t batch) {
    Config smaller = config;
    smaller.train.batch = batch;
    const ModelSummary s = summarize(smaller);
    return train ? s.training_bytes : s.inference_bytes;
  };
  const int64_t workspace = planned(config.train.batch) <= limit_bytes ? refused_bytes : 0;
  const auto needed = [&](int64_t batch) { return planned(batch) + workspace * batch / config.train.batch; };
  const std::string asked =
      fmt::format("batch {} of {}x{} needs about {} to {}", config.train.batch, config.data.size, config.data.size,
                  bytes_text(needed(config.train.batch)), train ? "train" : "predict");
  int64_t fits = 0, too_many = config.train.batch;
  while (too_many - fits > 1) {
    const int64_t middle = (fits + too_many) / 2;
    (needed(middle) <= limit_bytes ? fits : too_many) = middle;
  }
  if (fits > 0)
    return fmt::format("{}; batch {} needs {} and fits in {}", asked, fits, bytes_text(needed(fits)),
                       bytes_text(limit_bytes));
  return fmt::format("{}; not even one image fits in {}: choose {}", asked, bytes_text(limit_bytes),
                     train ? "a smaller size or base" : "--device cpu or more memory");
}

void require_memory(const Config& config, int64_t images) {
  Config planned = config;
  planned.train.batch = std::min(config.train.batch, images);
  const int64_t limit = tensor::memory_limit(config.run.device);
  const ModelSummary s = summarize(planned);
  if (s.training_bytes > limit) throw ConfigError("there is not enough memory: " + memory_advice(planned, limit));
  if (config.run.device != tensor::Device::cuda && s.resume_bytes > limit)
    throw ConfigError(
        fmt::format("there is not enough memory: to go on from a checkpoint takes {}, and there are {}; "
                    "choose a smaller base",
                    bytes_text(s.resume_bytes), bytes_text(limit)));
}

std::string summary_text(const ModelSummary& s, const Config& c) {
  std::string text = fmt::format("{:<24} {:<16} {:<19} {:>10} {:>7}\n", "layer", "op", "output", "parameters", "MMACs");
  std::string part;
  for (const LayerRow& r : s.layers) {
    if (r.op == "cast") continue;  // numbers in another type for a moment
    const auto [of, layer] = nn::part_of_name(r.name);
    if (!of.empty() && of != part) text += of + "\n", part = of;
    if (!r.joins.empty()) {
      std::string from;
      for (const std::string& j : r.joins) from += (from.empty() ? "" : ", ") + nn::part_of_name(j).second;
      text += fmt::format("  skip: side by side {}\n", from);
    }
    text += fmt::format("  {:<22} {:<16} {:<19} {:>10} {:>7}\n", layer, r.op + (r.relu ? " relu" : ""),
                        fmt::format("{}", r.output), r.parameters ? grouped(r.parameters) : "",
                        r.macs > 0 ? fmt::format("{:.1f}", r.macs / 1e6) : "");
  }
  text += fmt::format("\n{} base {}: {} parameters", name(c.model.backbone.kind), c.model.backbone.base,
                      grouped(s.backbone_parameters));
  if (s.parameters != s.backbone_parameters)
    text += fmt::format("; {}: {}; together {}", c.model.strategy == Strategy::crf ? "crf" : "refiner",
                        grouped(s.parameters - s.backbone_parameters), grouped(s.parameters));
  text += fmt::format("\nbatch {} of {}x{}: {:.2f} GMACs forward\nmemory planned: {} to train, {} to predict\n",
                      c.train.batch, c.data.size, c.data.size, s.macs / 1e9, bytes_text(s.training_bytes),
                      bytes_text(s.inference_bytes));
  if (s.resume_bytes > s.training_bytes && c.run.device != tensor::Device::cuda)
    text += fmt::format("to go on from a checkpoint takes {} for a moment\n", bytes_text(s.resume_bytes));
  if (s.kept_bytes > 0)
    text +=
        fmt::format("of these {} are the filters of the images, kept from epoch to epoch\n", bytes_text(s.kept_bytes));
  if (s.more_for_each_image > 0)
    text += fmt::format("and about {} more for each image's filter, kept from epoch to epoch: --data DIR counts them\n",
                        bytes_text(s.more_for_each_image));
  return text;
}

nlohmann::ordered_json summary_json(const ModelSummary& s, const Config& c) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const LayerRow& r : s.layers)
    layers.push_back({{"layer", r.name},
                      {"op", r.op},
                      {"relu", r.relu},
                      {"joins", r.joins},
                      {"output", std::vector<int64_t>(r.output.begin(), r.output.end())},
                      {"parameters", r.parameters},
                      {"macs", r.macs},
                      {"activation_bytes", r.activation_bytes}});
  return {{"backbone", name(c.model.backbone.kind)},
          {"base", c.model.backbone.base},
          {"strategy", name(c.model.strategy)},
          {"batch", c.train.batch},
          {"size", c.data.size},
          {"parameters", s.parameters},
          {"backbone_parameters", s.backbone_parameters},
          {"macs", s.macs},
          {"training_bytes", s.training_bytes},
          {"kept_bytes", s.kept_bytes},
          {"more_for_each_image", s.more_for_each_image},
          {"resume_bytes", s.resume_bytes},
          {"inference_bytes", s.inference_bytes},
          {"layers", layers}};
}

}  // namespace cris
