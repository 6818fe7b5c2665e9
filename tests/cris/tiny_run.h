/// A training run of a few seconds on a procedural set, in a folder of its own.
#pragma once
#include <map>
#include <vector>

#include "cris/report/evaluation.h"
#include "cris/run/trainer.h"
#include "data/synthetic.h"
#include "nn/safetensors.h"
#include "tensor/machine/atomic_file.h"
#include "tests/message.h"
#include "tests/scratch.h"

/// 14 training images, 3 steps of 4 or fewer and one of 2 an epoch, at 32 x 32; pictures are 40 x 40.
struct TinyRun {
  Scratch folder;
  cris::Config config;

  explicit TinyRun(cris::Strategy strategy) {
    data::write_synthetic_set(folder / "data", 20, 40, 40, 1, 1);
    config.data.dir = folder / "data";
    config.data.size = 32;
    config.model.backbone.base = 4;
    config.model.strategy = strategy;
    config.model.crf.kind = tensor::GaussianKind::exact;
    config.train.epochs = 2;
    cris::resolve_config(config);
  }
  /// Trains in the run `name`; `steps` > 0 stops after that many.
  cris::TrainResult train(const std::string& name, int steps = 0) {
    int taken = 0;
    cris::TrainOptions options;
    if (steps > 0) options.stop = [&] { return ++taken == steps; };
    return train(name, options);
  }
  cris::TrainResult train(const std::string& name, const cris::TrainOptions& options) {
    cris::resolve_config(config);
    const cris::ExperimentData data = cris::open_data(config);
    cris::RunDirectory run(folder / name);
    run.begin(config, data, "test");
    cris::Progress silent;
    return cris::Trainer(config, data, run, silent).train(options);
  }
  std::string bytes(const std::string& file) const { return tensor::read_file(folder / file); }
  /// The values of a checkpoint's tensors by their names.
  std::map<std::string, std::vector<double>> values(const std::string& checkpoint) const {
    std::map<std::string, std::vector<double>> all;
    for (const auto& [name, t] : nn::read_safetensors(folder / checkpoint).tensors) all[name] = t.values();
    return all;
  }
};
