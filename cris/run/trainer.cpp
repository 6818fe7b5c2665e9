/// The training loop. Everything that the next step depends on is in Position, the weights and the optimiser's state:
/// random numbers are functions of (seed, step), batches of (seed, epoch, step).
#include "cris/run/trainer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "cris/evaluate.h"
#include "cris/nonfinite.h"
#include "nn/checkpoint.h"
#include "nn/json_text.h"
#include "tensor/machine/allocator.h"
#include "tensor/machine/atomic_file.h"

namespace cris {

using json = nlohmann::ordered_json;

namespace {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

data::LoaderOptions loader_options(const Config& c) {
  return {.batch = c.train.batch,
          .shuffle = true,
          .seed = uint64_t(c.train.seed),
          .augmentation = c.data.augmentation,
          .threads = int(c.run.threads)};
}

/// Masks that the refiner is asked about after each epoch.
const std::vector<double> kResponseMasks = {0, 0.25, 0.5, 0.75, 1};

const char* const kEpochsHeader =
    "epoch,loss,training_loss,validation_dice,validation_dice_pooled,validation_precision,validation_recall,validation_"
    "mse,"
    "validation_mse_thresholded,best,validation_best_dice,validation_best_threshold";
/// The line after each epoch: the losses in training, then measures of the validation set (Dice at its best threshold
/// t, and at 0.5).
const char* const kHeading = "  epoch loss               dice     t  t=0.5 precision recall    mse";

/// In the order of Loss.
const char* const kShortNames[] = {"mask mse", "bce", "weighted", "mse", "dice", "bce+dice"};
/// Calls field(name, value) for all of a Position but the losses, in the checkpoint's order.
template <class Position, class Field>
void for_each_field(Position& at, Field field) {
  field("epoch", at.epoch);
  field("step", at.step);
  field("best_epoch", at.best_epoch);
  field("epochs_without_gain", at.epochs_without_gain);
  field("best_dice", at.best_dice);
  field("stopped_early", at.stopped_early);
  field("metrics_bytes", at.metrics_bytes);
  field("epochs_bytes", at.epochs_bytes);
  field("metrics_sha256", at.metrics_sha256);
  field("epochs_sha256", at.epochs_sha256);
}

/// The last column; runs that an older version began have none.
const char* const kLossHeader = ",validation_bce";
/// The further columns of runs whose epochs train both of cris's losses; training_loss is then empty.
const char* const kMixedHeader = ",training_mask_mse,training_output_bce";

}  // namespace

Trainer::Trainer(const Config& config, const ExperimentData& data, RunDirectory& run, Progress& progress)
    : config_(config),
      data_(data),
      run_(run),
      progress_(progress),
      model_(make_model(config)),
      optimizer_(nn::make_optimizer(*model_, config.optimizer)),
      step_(*model_, *optimizer_,
            {.strategy = config.model.strategy, .cris = config.cris, .seed = uint64_t(config.train.seed)},
            config.run.replay),
      loader_(data.training, loader_options(config)),
      metrics_(run.file("metrics.jsonl")),
      epochs_(run.file("epochs.csv")),
      timing_(run.file("timing.jsonl")),
      log_(run.file("log.txt")) {
  optimizer_->set_rate_factor("refiner.", config.train.refiner_rate);
  optimizer_->set_missing_as_zero(config.cris.zero_gradients);
  restore();
}

void Trainer::say(const std::string& text) {
  log_.append(log_line(text));
  progress_.message(text);
}

void Trainer::restore() {
  const std::string last = run_.file("checkpoints/last.safetensors");
  if (!run_.has("checkpoints/last.safetensors")) {
    metrics_.truncate(0);
    epochs_.truncate(0);
    epochs_.append(fmt::format("{}{}{}\n", kEpochsHeader,
                               mixed(config_.model.strategy, config_.cris) ? kMixedHeader : "", kLossHeader));
    if (!config_.train.start_from.empty()) say(begin_from(*model_, config_));
    return;
  }
  const nn::Metadata metadata = nn::load_checkpoint(last, *model_, optimizer_.get());
  const auto found = metadata.find("position");
  try {
    tensor::require(found != metadata.end(), "there is none");
    const json p = nn::parse_json<json>(found->second);
    for_each_field(at_, [&](const char* key, auto& value) { p.at(key).get_to(value); });
    for (const auto& [loss, sum] : p.at("losses").items())
      at_.losses[tensor::parse<Loss>(loss)] = {sum.at(0).get<double>(), sum.at(1).get<int64_t>()};
    tensor::require(at_.epoch >= 0 && at_.step >= 0 && at_.step <= loader_.steps_per_epoch() &&
                        at_.epoch <= config_.train.epochs && at_.metrics_bytes >= 0 && at_.epochs_bytes >= 0,
                    "epoch {}, step {}", at_.epoch, at_.step);
  } catch (const std::exception& e) {
    throw tensor::Error(
        fmt::format("{}: is not a training checkpoint (its position in a run: {}); start again in a new directory",
                    last, e.what()));
  }
  // Otherwise a damaged one would be noticed only after the last epoch.
  if (const std::string best = run_.file("checkpoints/best.safetensors"); at_.best_epoch >= 0) {
    try {
      nn::read_safetensors(best);
    } catch (const tensor::Error& e) {
      throw tensor::Error(fmt::format("{}; start again in a new directory", e.what()));
    }
  }
  metrics_.go_back(at_.metrics_bytes, at_.metrics_sha256);
  epochs_.go_back(at_.epochs_bytes, at_.epochs_sha256);
  const std::string epochs = tensor::read_file(run_.file("epochs.csv"));
  has_validation_loss_ = epochs.substr(0, epochs.find('\n')).ends_with(kLossHeader);
  say(fmt::format("going on from epoch {}, step {}", at_.epoch + 1, at_.step));
}

void Trainer::save_last() {
  // What a resumed run would only trip over must not replace what it could go on from.
  if (const std::string name = non_finite_parameter(*model_); !name.empty())
    throw NonFiniteError(
        fmt::format("the weights {} are not finite after epoch {}, step {}; this checkpoint is not written and the one "
                    "before is kept; lower train.learning_rate",
                    name, at_.epoch + 1, at_.step));
  run_.check_place();
  // A power cut must not leave a checkpoint that counts lines which never reached the disk.
  metrics_.sync();
  epochs_.sync();
  at_.metrics_bytes = metrics_.bytes();
  at_.epochs_bytes = epochs_.bytes();
  at_.metrics_sha256 = metrics_.sha256();
  at_.epochs_sha256 = epochs_.sha256();
  json losses = json::object();
  for (const auto& [loss, sum] : at_.losses) losses[name(loss)] = {sum.first, sum.second};
  json p = {{"epoch", 0}, {"step", 0}, {"losses", losses}};  // in this order
  for_each_field(at_, [&](const char* key, const auto& value) { p[key] = value; });
  nn::save_checkpoint(run_.file("checkpoints/last.safetensors"), *model_, optimizer_.get(),
                      {{"position", p.dump()}, {"config", portable_toml(config_)}});
}

double Trainer::learning_rate() const {
  const int64_t steps = loader_.steps_per_epoch();
  nn::Schedule schedule = config_.schedule;
  schedule.period *= steps, schedule.warmup *= steps;
  return nn::learning_rate(schedule, at_.epoch * steps + at_.step);
}

std::vector<std::pair<Loss, double>> Trainer::take_steps(const data::Batch& batch,
                                                         const std::function<void()>& meanwhile) {
  StepPosition at{at_.epoch, at_.step, uint32_t(at_.epoch * loader_.steps_per_epoch() + at_.step)};
  std::vector<std::pair<Loss, double>> taken;
  for (; at.turn < turns(config_.model.strategy, config_.cris); ++at.turn) {
    const Loss kind = loss_of(config_.model.strategy, config_.cris, at);
    try {
      taken.emplace_back(kind, step_.take(at, batch.x, batch.mask, learning_rate(), meanwhile));
    } catch (const NonFiniteError&) {
      std::string files;
      for (const int64_t i : batch.samples) files += (files.empty() ? "" : ", ") + data_.training->pair(i).image;
      const std::string dump = fmt::format("nonfinite/epoch{}-step{}.safetensors", at_.epoch + 1, at_.step);
      step_.between_steps([&] {
        report_non_finite(
            *model_, batch, files, [&] { return batch_loss(*model_, kind, config_.cris, batch.x, batch.mask); },
            run_.file(dump));
      });
    }
  }
  if (!said_refusal_ && !step_.refusal().empty()) {
    said_refusal_ = true;
    say(fmt::format("steps are not recorded and replayed: {}", step_.refusal()));
  }
  return taken;
}

std::optional<double> Trainer::end_epoch(const std::function<bool()>& stop) {
  const Loss loss = loss_of(config_.model.strategy, config_.cris, {.epoch = at_.epoch});
  const bool both = mixed(config_.model.strategy, config_.cris);
  const auto mean = [&](Loss of) {
    const auto& [sum, images] = at_.losses[of];
    return sum / double(std::max<int64_t>(images, 1));
  };
  Scores scores;
  std::vector<double> response;
  bool stopped = false;
  step_.between_steps([&] {
    struct Stopped {};
    try {
      scores = evaluate(*model_, data_.validation, config_.run.device, config_.train.batch,
                        [&](int64_t, const float*, const float*) {
                          if (stop()) throw Stopped();
                        });
    } catch (const Stopped&) {
      stopped = true;
    }
    if (!stopped && model_->refiner) response = model_->refiner->response(kResponseMasks);
    start_training(*model_, config_.train.freeze);
  });
  if (stopped) return std::nullopt;
  const MeanScores s = scores.summary(0.5);
  network_ms_ = 1e3 * scores.network_seconds / double(s.images);
  // Probabilities of an early epoch may all lie below 0.5 and still rank the pixels; the metric's own threshold is
  // chosen later too.
  const double threshold = scores.best_threshold(), dice = scores.summary(threshold).dice;
  const bool by_l1 = !both && loss == Loss::mask_mse;
  const bool gain = dice > at_.best_dice && !(by_l1 && config_.train.keep == Keep::best_l2);
  const bool best = gain || config_.train.keep == Keep::last;
  at_.epochs_without_gain = gain ? 0 : at_.epochs_without_gain + 1;
  if (gain) at_.best_dice = dice;
  if (best) at_.best_epoch = at_.epoch;
  const char* loss_name = both ? "both in turn" : name(loss);
  epochs_.append(fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}", at_.epoch + 1, loss_name,
                             both ? "" : fmt::format("{}", mean(loss)), s.dice, s.dice_pooled, s.precision, s.recall,
                             s.mse, s.mse_thresholded, best ? 1 : 0, dice, threshold));
  if (both) epochs_.append(fmt::format(",{},{}", mean(Loss::mask_mse), mean(Loss::output_bce)));
  epochs_.append(has_validation_loss_ ? fmt::format(",{}\n", s.cross_entropy) : "\n");
  json line = {{"epoch", at_.epoch + 1}, {"loss_name", loss_name}};
  if (both)
    line["training_mask_mse"] = mean(Loss::mask_mse), line["training_output_bce"] = mean(Loss::output_bce);
  else
    line["training_loss"] = mean(loss);
  const json scores_of_epoch = {{"validation_dice", s.dice},
                                {"validation_precision", s.precision},
                                {"validation_recall", s.recall},
                                {"validation_mse", s.mse},
                                {"validation_bce", s.cross_entropy},
                                {"validation_best_dice", dice},
                                {"validation_best_threshold", threshold},
                                {"best", best}};
  line.update(scores_of_epoch);
  if (model_->refiner) line["refiner_response"] = response;
  metrics_.append(line.dump() + "\n");
  at_.stopped_early = config_.train.early_stopping > 0 && at_.epochs_without_gain >= config_.train.early_stopping;
  if (best) {
    nn::save_checkpoint(run_.file("checkpoints/best.safetensors"), *model_, nullptr,
                        {{"epoch", fmt::format("{}", at_.epoch + 1)}, {"config", portable_toml(config_)}});
  }
  progress_.epoch(line);
  const std::string losses = both ? fmt::format("{:.4f}, {:.4f}", mean(Loss::mask_mse), mean(Loss::output_bce))
                                  : fmt::format("{} {:.4f}", kShortNames[size_t(loss)], mean(loss));
  if (!said_heading_) say(kHeading);
  said_heading_ = true;
  say(fmt::format("{:>7} {:<16} {:>6.4f} {:>5.2f} {:>6.4f} {:>9.4f} {:>6.4f} {:>6.4f} {}",
                  fmt::format("{}/{}", at_.epoch + 1, config_.train.epochs), losses, dice, threshold, s.dice,
                  s.precision, s.recall, s.mse,
                  !best   ? ""
                  : by_l1 ? "best (mse)"
                          : "best"));
  if (model_->refiner) watch_refiner(response);
  ++at_.epoch;
  at_.step = 0;
  at_.losses.clear();
  save_last();
  return dice;
}

void Trainer::watch_refiner(const std::vector<double>& response) {
  const auto [least, most] = std::ranges::minmax(response);
  constexpr double kSmall = 0.05;
  const bool flat = most - least < kSmall, falls = response.back() < response.front() - kSmall;
  if (said_response_ || !(flat || falls)) return;
  said_response_ = true;
  say(fmt::format(
      "warning: the refiner {}. Of masks that are 0, 0.25, 0.5, 0.75 and 1 everywhere it makes {:.2f}; {}",
      flat ? "gives almost the same answer for every mask" : "falls where its mask rises, and teaches the inverse mask",
      fmt::join(response, ", "),
      config_.model.refiner.init == RefinerStart::copy ? "lower train.learning_rate" : "use refiner.init = \"copy\""));
}

TrainResult Trainer::train(const TrainOptions& options) {
  const double start = now_seconds();
  const int64_t steps = loader_.steps_per_epoch(), first = at_.epoch * steps + at_.step;
  const tensor::Device device = config_.run.device;
  const auto result = [&](bool finished) {
    for (AppendOnlyFile* file : {&timing_, &log_}) file->sync();  // what a file system would say at close alone
    return TrainResult{finished, at_.epoch, at_.best_epoch, at_.best_dice};
  };
  const auto to_do = [&] { return at_.epoch < config_.train.epochs && !at_.stopped_early; };
  while (to_do()) {
    const double epoch_start = now_seconds();
    int64_t images = 0;
    loader_.start(at_.epoch, at_.step);
    start_training(*model_, config_.train.freeze);
    const double begin = now_seconds();
    std::optional<data::Batch> batch = loader_.next(device);
    double data_seconds = now_seconds() - begin, step_seconds = 0;
    while (batch) {
      const double t0 = now_seconds();
      // The next batch is on its way to the device while that computes, or else after the step.
      std::optional<data::Batch> following;
      bool asked = false;
      const auto ask = [&] {
        if (!asked) following = loader_.next(device), asked = true;
      };
      const auto taken = take_steps(*batch, ask);
      const double t1 = now_seconds();
      ask();
      const double t2 = now_seconds();
      const auto n = int64_t(batch->samples.size());
      step_seconds += t1 - t0, data_seconds += t2 - t1, images += n;
      for (const auto& [kind, loss] : taken) {
        json line = {{"epoch", at_.epoch + 1}, {"step", at_.step}, {"loss", loss}};
        if (mixed(config_.model.strategy, config_.cris)) line["loss_name"] = name(kind);
        metrics_.append(line.dump() + "\n");
        auto& [sum, count] = at_.losses[kind];
        sum += loss * double(n), count += n;
      }
      ++at_.step;
      const int64_t done = at_.epoch * steps + at_.step, total = config_.train.epochs * steps;
      progress_.step({.epoch = at_.epoch + 1,
                      .epochs = config_.train.epochs,
                      .step = at_.step,
                      .steps = steps,
                      .loss = taken.back().second,
                      .dice = at_.best_dice,
                      .data_ms = 1e3 * (t2 - t1),
                      .step_ms = 1e3 * (t1 - t0),
                      .images_per_second = double(images) / (data_seconds + step_seconds),
                      .eta_seconds = (t2 - start) / double(done - first) * double(total - done),
                      .memory_bytes = tensor::memory_stats(device).peak});
      const bool stop = options.stop() || (options.max_seconds > 0 && t2 - start > options.max_seconds);
      const bool due = config_.train.checkpoint_steps > 0 && at_.step % config_.train.checkpoint_steps == 0;
      if (stop || due) save_last();
      if (stop) {
        say(fmt::format("stopped in epoch {} after step {}; the same command goes on from here", at_.epoch + 1,
                        at_.step));
        return result(false);
      }
      batch = std::move(following);
    }
    const double trained = now_seconds();
    const int64_t epoch = at_.epoch;
    const std::optional<double> dice = end_epoch(options.stop);
    if (!dice) {
      save_last();
      say(fmt::format("stopped while epoch {} was validated; the same command goes on from here", at_.epoch + 1));
      return result(false);
    }
    const json line = {{"epoch", epoch + 1},
                       {"seconds", now_seconds() - epoch_start},
                       {"data_seconds", data_seconds},
                       {"step_seconds", step_seconds},
                       {"validation_seconds", now_seconds() - trained},
                       {"network_ms_an_image", network_ms_},
                       {"images_per_second", double(images) / std::max(trained - epoch_start, 1e-9)},
                       {"peak_bytes", tensor::memory_stats(device).peak}};
    timing_.append(line.dump() + "\n");
    if (!options.epoch_done(epoch, *dice)) return result(false);
  }
  return result(true);
}

}  // namespace cris
