/// Training in a run directory: it goes on where it was, learns, and refuses what is not its own.
#include "cris/run/trainer.h"

#include <doctest/doctest.h>

#include "cris/run/memory_plan.h"
#include "data/format_error.h"
#include "tensor/machine/allocator.h"
#include "tests/cris/tiny_run.h"

using namespace cris;

TEST_CASE("a run stopped at any step goes on to the same bytes, with every strategy") {
  for (const Strategy strategy : tensor::values<Strategy>()) {
    CAPTURE(name(strategy));
    TinyRun experiment(strategy);
    const TrainResult whole = experiment.train("whole");
    CHECK(whole.finished);
    CHECK(whole.epochs == 2);
    for (const int steps : {1, 4, 6}) {  // within the first epoch, at its end, within the second
      const std::string name = "stopped" + std::to_string(steps);
      CHECK_FALSE(experiment.train(name, steps).finished);
      CHECK(experiment.train(name).finished);
      for (const char* file :
           {"/checkpoints/last.safetensors", "/checkpoints/best.safetensors", "/metrics.jsonl", "/epochs.csv"})
        CHECK_MESSAGE(experiment.bytes(name + file) == experiment.bytes(std::string("whole") + file), file);
    }
  }
}

TEST_CASE(
    "each epoch records what the refiner makes of plain masks, and one that does not rise is named once with the "
    "remedy") {
  for (const auto& [strategy, init, records, warnings] :
       {std::tuple{"cris", "draw", 2, 1}, {"cris", "copy", 2, 0}, {"fcn", "copy", 2, 0}, {"backbone", "draw", 0, 0}}) {
    const std::string row = fmt::format("{} {}", strategy, init);
    CAPTURE(row);
    TinyRun experiment(tensor::parse<Strategy>(strategy));
    experiment.config.model.refiner.init = tensor::parse<RefinerStart>(init);
    experiment.train("run");
    CHECK(count_of("\"refiner_response\":[", experiment.bytes("run/metrics.jsonl")) == records);
    CHECK(count_of("warning: the refiner ", experiment.bytes("run/log.txt")) == warnings);
    CHECK(count_of("use refiner.init = \"copy\"", experiment.bytes("run/log.txt")) == warnings);
  }
}

TEST_CASE("a run with sgd, warm-up and a schedule goes on to the same bytes, and each of them matters") {
  TinyRun experiment(Strategy::cris);
  const auto losses = [&](const std::string& name) {
    experiment.train(name);
    return experiment.bytes(name + "/metrics.jsonl");
  };
  const auto weights = [&](const std::string& name) {
    return experiment.bytes(name + "/checkpoints/last.safetensors");
  };
  const std::string adam = losses("adam");
  experiment.config.optimizer.kind = nn::OptimizerKind::sgd;
  const std::string plain = losses("plain");
  CHECK(plain != adam);
  experiment.config.optimizer.momentum = 0.9;
  const std::string constant = losses("constant");
  CHECK(constant != plain);
  experiment.config.schedule.warmup = 1;
  CHECK(losses("warm-up") != constant);
  for (const auto kind : {nn::ScheduleKind::step, nn::ScheduleKind::cosine}) {
    CAPTURE(name(kind));
    experiment.config.schedule = {.kind = kind, .period = 1};
    CHECK(losses(name(kind)) != constant);
    for (const int steps : {2, 5}) {
      const std::string resumed = fmt::format("{} {}", name(kind), steps);
      experiment.train(resumed, steps);
      experiment.train(resumed);
      CHECK(weights(resumed) == weights(name(kind)));
    }
  }
}

TEST_CASE("the memory planned for a run is what it takes, to 5 %, the filters that crf keeps included") {
  for (const Strategy strategy : {Strategy::backbone, Strategy::fcn, Strategy::crf}) {
    CAPTURE(name(strategy));
    TinyRun experiment(strategy);
    experiment.config.model.crf.kind = tensor::GaussianKind::permutohedral;
    experiment.config.model.backbone.base = 8;
    const ExperimentData data = open_data(experiment.config);
    const ModelSummary planned = summarize(experiment.config, &data);
    tensor::reset_peak_memory(tensor::Device::cpu);
    experiment.train("run");
    const double measured = double(tensor::memory_stats(tensor::Device::cpu).peak);
    CHECK(double(planned.training_bytes) == doctest::Approx(measured).epsilon(0.05));
    const bool crf = strategy == Strategy::crf;
    CHECK((planned.kept_bytes > 0) == crf);
    if (crf) CHECK(planned.training_bytes - planned.kept_bytes < 0.95 * measured);
  }
}

TEST_CASE("a few images are learnt by heart") {
  TinyRun experiment(Strategy::backbone);
  experiment.config.train.overfit = 2;
  experiment.config.train.batch = 2;
  experiment.config.train.epochs = 60;
  experiment.config.schedule.learning_rate = 1e-2;
  CHECK(experiment.train("overfit").best_dice > 0.95);
}

TEST_CASE(
    "early stopping ends a run that no longer gains, of equal epochs the first is the best, and the caller may end it "
    "too") {
  TinyRun experiment(Strategy::backbone);
  experiment.config.schedule.learning_rate = 1e-30;  // learns nothing, and no statistics move: all epochs are equal
  experiment.config.model.backbone.norm = NormKind::none;
  experiment.config.train.epochs = 9;
  experiment.config.train.early_stopping = 2;
  const TrainResult result = experiment.train("patient");
  CHECK(result.finished);
  CHECK(result.best_epoch == 0);
  CHECK(result.epochs == 1 + 2);
  CHECK(experiment.train("patient").epochs == result.epochs);

  TrainOptions options;
  options.epoch_done = [](int64_t epoch, double) { return epoch < 0; };
  CHECK(experiment.train("pruned", options).epochs == 1);
}

TEST_CASE("a run directory belongs to one configuration, one data set and one process") {
  TinyRun experiment(Strategy::backbone);
  experiment.config.train.epochs = 1;
  experiment.train("run");
  {
    RunDirectory run(experiment.folder / "run");
    const ExperimentData data = open_data(experiment.config);
    CHECK_THROWS_WITH_AS(RunDirectory(experiment.folder / "run"), doctest::Contains("another process"), tensor::Error);
    Config other = experiment.config;
    other.train.seed = 5;
    CHECK_THROWS_WITH_AS(run.begin(other, data, "test"), doctest::Contains("train.seed"), ConfigError);
    ExperimentData changed = data;
    changed.hash = "other";
    CHECK_THROWS_WITH_AS(run.begin(experiment.config, changed, "test"), doctest::Contains("changed"),
                         data::FormatError);
  }
  experiment.config.train.epochs = 2;  // longer is the same run
  CHECK(experiment.train("run").epochs == 2);
}
