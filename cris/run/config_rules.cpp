/// Settings that each are in range and still cannot run together.
#include <fmt/format.h>

#include <algorithm>

#include "cris/run/config.h"

namespace cris {

namespace {

template <class... A>
[[noreturn]] void reject(fmt::format_string<const A&...> message, const A&... args) {
  throw ConfigError(fmt::format(message, args...));
}

/// Settings that a strategy has no use for, or that leave it nothing to train.
void check_strategy(const Config& c) {
  const Strategy strategy = c.model.strategy;
  const char* const called = name(strategy);
  const bool cris = strategy == Strategy::cris, refines = cris || strategy == Strategy::fcn;
  if (c.cris.detach_refiner_input && !cris)
    reject("train.detach_refiner_input with strategy {} would leave the backbone untrained: it is an option of cris",
           called);
  if (c.cris.output_loss != OutputLoss::bce && cris)
    reject("train.output_loss is of backbone, fcn and crf; strategy cris trains by L1 and L2");
  if (c.train.keep == Keep::best_l2 && !cris)
    reject("train.keep = \"best_l2\" is an option of cris, not of {}: use \"best\"", called);
  if (c.train.keep == Keep::best_l2 && c.cris.alternate == Alternate::epoch && c.cris.first == FirstLoss::mse &&
      !c.cris.weighted_sum && c.train.epochs < 2)
    reject("train.keep = \"best_l2\" needs an epoch of L2: use train.epochs = 2 or more");
  const Freeze freeze = c.train.freeze;
  if (freeze == Freeze::refiner && !refines) reject("train.freeze = \"refiner\": strategy {} has none", called);
  if (freeze == Freeze::backbone && strategy == Strategy::backbone)
    reject("train.freeze = \"backbone\" leaves strategy backbone nothing to train");
  if (freeze == Freeze::backbone && cris)
    reject("train.freeze = \"backbone\" leaves L1 of strategy cris nothing to train: use strategy fcn");
}

}  // namespace

void resolve_config(Config& c) {
  for (const Key& k : keys(c)) check_range(k, "");
  // "DIR/" and "DIR" are one data set: a run resumes by either.
  while (c.data.dir.size() > 1 && c.data.dir.ends_with('/')) c.data.dir.pop_back();
  auto& [backbone, strategy, refiner, crf, input] = c.model;
  if (crf.theta_alpha > 0 && crf.theta_alpha < 0.5)
    reject("crf.theta_alpha = {} is out of range: 0, or at least 0.5", crf.theta_alpha);
  if (backbone.deep_supervision && backbone.kind != BackboneKind::unet_plus_plus)
    reject("model.deep_supervision is an option of unet++, not of {}", name(backbone.kind));
  if (backbone.norm == NormKind::none && backbone.kind != BackboneKind::unet)
    reject("model.norm = \"none\" is an option of unet, not of {}", name(backbone.kind));
  if (backbone.up == UpKind::transposed && backbone.kind != BackboneKind::unet_plus_plus)
    reject("model.up = \"transposed\" is an option of unet++, not of {}", name(backbone.kind));
  check_strategy(c);
  if (backbone.base == 0) backbone.base = default_base(backbone.kind);
  const int64_t multiple = size_multiple(backbone.kind);
  if (c.data.size % multiple != 0) {
    const int64_t below = std::max(multiple, c.data.size / multiple * multiple);
    reject("data.size = {} is not a multiple of {}, which {} needs for its pooling: use {} or {}", c.data.size,
           multiple, name(backbone.kind), below, below + multiple);
  }
  if (refiner.channels == 1 && refiner.init == RefinerStart::copy)
    reject(
        "refiner.channels = 1 leaves no channel for the mask's complement: use 2 or more, or refiner.init = "
        "\"identity\" or \"draw\"");
  if (refiner.kernels.empty()) reject("refiner.kernels is empty: give at least one odd extent");
  constexpr size_t kMostLayers = 64;
  if (refiner.kernels.size() > kMostLayers)
    reject("refiner.kernels has {} entries: at most {} are possible", refiner.kernels.size(), kMostLayers);
  for (const int64_t k : refiner.kernels)
    if (k < 1 || k > 255 || k % 2 == 0)
      reject("refiner.kernels has {}: extents must be odd, so that maps keep their size, and at most 255", k);
  for (const auto& [text, value] : {std::pair{"refiner.dropout", refiner.dropout},
                                    {"train.beta1", c.optimizer.beta1},
                                    {"train.beta2", c.optimizer.beta2},
                                    {"train.momentum", c.optimizer.momentum}})
    if (value >= 1) reject("{} = {} must be below 1", text, value);
  // 0 is filled in, so that a run that goes on for more epochs does not change its past.
  if (c.schedule.kind == nn::ScheduleKind::cosine && c.schedule.period == 0) c.schedule.period = c.train.epochs;
  if (c.schedule.kind == nn::ScheduleKind::step && c.schedule.period == 0)
    reject("train.schedule = \"step\" needs train.schedule_epochs, the epochs between two decays");
  if (c.run.device != tensor::Device::cuda && tensor::needs_cuda(c.run.precision))
    reject("run.precision = \"{}\" needs run.device = \"cuda\"", name(c.run.precision));
}

}  // namespace cris
