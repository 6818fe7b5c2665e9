/// Run directories as pages and tables read them, made without a training.
#pragma once
#include <fmt/format.h>

#include <string>

#include "cris/run/config.h"
#include "tensor/machine/atomic_file.h"
#include "tests/scratch.h"

/// What cris train leaves behind, as far as tables read it: every image has this Dice, but the last has 0.
inline std::string finished_run(const Scratch& scratch, const std::string& name, cris::Config config, double dice,
                                double mse = 0.25) {
  cris::resolve_config(config);
  scratch.folder(name);
  const auto write = [&](const std::string& file, const std::string& text) {
    tensor::write_file_atomically(scratch / name + "/" + file, text);
  };
  write("config.resolved.toml", cris::to_toml(config));
  write("manifest.json", R"({"data": "/somewhere", "split_sha256": "5a", "split_protocol": "random, seed 0",
                             "images": {"training": 70, "validation": 15, "test": 20}})");
  write("evaluation.json", fmt::format(
                               R"({{"chosen_on_training_set": {{"dice": {0}, "mse": {1}}}, "at_half": {{"dice": {0}}},
                "pranet_mean_dice": {0}, "parameters": 7}})",
                               dice, mse));
  write("epochs.csv", "epoch,loss\n1,bce\n");
  write("curves.csv", "threshold,p,r,d,p,r,d\n0,0.1,1,0.2,0.1,1,0.2\n1,1,0.25,0.4,1,0.25,0.4\n");
  std::string scores = "name,dice,precision,recall,mse,pixels\n";
  for (int i = 0; i < 20; ++i) scores += fmt::format("{},{},1,1,0.123456789,64\n", i, i < 19 ? dice : 0.0);
  write("per_image.csv", scores);
  write("SHA256SUMS", std::string(64, 'a') + "  metrics.jsonl\n" + std::string(64, 'b') + "  overlays/01_3.png\n");
  return scratch / name;
}

inline cris::Config cell(const char* backbone, const char* strategy, int64_t seed = 0) {
  cris::Config c;
  c.data.dir = "set", c.data.size = 64;
  c.model.backbone.kind = tensor::parse<cris::BackboneKind>(backbone);
  c.model.strategy = tensor::parse<cris::Strategy>(strategy);
  c.train.seed = seed;
  return c;
}
