/// Settings: defaults, files, overrides, and what is refused with which words.
#include "cris/run/config.h"

#include "cris/run/memory_plan.h"

#include <doctest/doctest.h>

#include "data/files.h"
#include "tensor/machine/atomic_file.h"
#include "tests/scratch.h"

using namespace cris;

namespace {

Config read(const std::string& text) {
  const Scratch folder;
  tensor::write_file_atomically(folder / "cris.toml", text);
  Config config;
  read_config(config, folder / "cris.toml");
  return config;
}

}  // namespace

TEST_CASE("a configuration written as TOML reads back the same, whatever its texts hold") {
  Config config;
  config.data.dir = "a \"quoted\"\\path \u00e9";
  config.model.refiner.kernels = {9, 1};
  config.schedule.learning_rate = 3e-4;
  config.cris.weighted_sum = true;
  const Config again = read(to_toml(config));
  CHECK(differences(config, again).empty());
  CHECK(again.data.dir == config.data.dir);
  CHECK(differences(Config{}, again).size() == 4);
}

TEST_CASE("the configuration of a run made before refiner.init existed means the start that there was") {
  std::string old = to_toml(Config{});
  const size_t line = old.find("init = \"copy\"\n");
  REQUIRE(line != std::string::npos);
  CHECK(read(old).model.refiner.init == RefinerStart::copy);
  old.erase(line, std::string("init = \"copy\"\n").size());
  CHECK(read(old).model.refiner.init == RefinerStart::identity);
  CHECK(read("[refiner]\nchannels = 8\n").model.refiner.init == RefinerStart::copy);
}

TEST_CASE(
    "every key of the table is in the reference, which docs/reference/configuration.md shows, and has a meaning") {
  Config config;
  const std::string reference = config_reference();
  CHECK(data::read_data_file(CRIS_SOURCE_DIR "/docs/reference/configuration.md").find(reference) != std::string::npos);
  for (const Key& key : keys(config)) {
    CAPTURE(key.name);
    CHECK(reference.find("`" + key.name + "`") != std::string::npos);
    CHECK(!key.meaning.empty());
  }
}

TEST_CASE("later settings win, whole numbers are numbers too") {
  Config config = read("[train]\nepochs = 5\nlearning_rate = 1\n");
  CHECK(config.train.epochs == 5);
  CHECK(config.schedule.learning_rate == 1);
  set_config(config, "train.epochs=7");
  set_config(config, "model.backbone=segnet");
  set_config(config, "refiner.kernels=[5, 3]");
  CHECK(config.train.epochs == 7);
  CHECK(config.model.backbone.kind == BackboneKind::segnet);
  CHECK(config.model.refiner.kernels == std::vector<int64_t>{5, 3});
}

TEST_CASE("what is wrong with a file is said with its line") {
  const auto refused = [](const std::string& text, const char* words) {
    CHECK_THROWS_WITH_AS(read(text), doctest::Contains(words), ConfigError);
  };
  refused("[train]\nepoch = 3\n", ":2: unknown key \"train.epoch\"; the nearest is \"train.epochs\"");
  refused("[training]\nepochs = 3\n", ":1: unknown key \"training\"");
  refused("[train]\nepochs = 1.5\n", ":2: train.epochs must be a whole number");
  refused("[train]\nstrategy = \"magic\"\n", "choose backbone, fcn, crf or cris");
  refused("[train\n", ":1");
  refused("[train]\nlearning_rate = nan\n", "nan is not a finite number");
  refused("[train]\nlearning_rate = inf\n", "inf is not a finite number");
}

TEST_CASE("settings that cannot run are refused before anything is read") {
  const auto refused = [](const char* assignment, const char* words) {
    CAPTURE(assignment);
    Config config;
    CHECK_THROWS_WITH_AS((set_config(config, assignment), resolve_config(config)), doctest::Contains(words),
                         ConfigError);
  };
  refused("data.size=40", "use 32 or 48");
  refused("refiner.kernels=[4]", "must be odd");
  refused("refiner.kernels=[]", "at least one");
  refused("refiner.dropout=1.0", "below 1");
  refused("refiner.channels=1", "refiner.init");
  refused("train.momentum=1.0", "below 1");
  refused("train.schedule_factor=2", "at most 1");
  refused("run.precision=bf16", "needs run.device");
  refused("train.epochs", "section.key=value");
  refused("crf.theta_alpha=0.1", "at least 0.5");
  refused("crf.filter=bridged", "\"bridged\" is gone");
  refused("crf.theta_beta=0.001", "at least 0.01");
  refused("crf.theta_gamma=0.1", "at least 0.5");
  refused("train=3", "train is a section");
  refused("run.threads=1025", "at most 1024");
  refused("data.size=1000000000", "at most 32768");
  refused("train.batch=9223372036854775807", "at most 100000");
  refused("refiner.kernels=[999999999]", "at most 255");
  refused("data.jitter=9", "at most 5");
  refused("model.deep_supervision=true", "an option of unet++");
  refused("data.dir=a\nb", "control character");
  refused("data.dir=\xff", "not UTF-8");
  Config segnet;
  segnet.model.backbone.kind = BackboneKind::segnet;
  segnet.data.size = 48;
  CHECK_THROWS_WITH_AS(resolve_config(segnet), doctest::Contains("use 32 or 64"), ConfigError);
}

TEST_CASE("a slash at the end of the data's folder makes no other configuration") {
  Config with, without;
  set_config(with, "data.dir=set/");
  set_config(without, "data.dir=set");
  resolve_config(with), resolve_config(without);
  CHECK(differences(with, without).empty());
}

TEST_CASE("a training that the memory cannot hold is refused with the batch that it can hold") {
  Config config;
  config.model.backbone.base = 2;
  config.data.size = 512;
  config.train.batch = 100000;
  resolve_config(config);
  CHECK_NOTHROW(require_memory(config, 1));
  CHECK_THROWS_WITH_AS(require_memory(config, 100000), doctest::Contains("fits in"), ConfigError);
  CHECK(memory_advice(config, int64_t(1) << 20).find("not even one image fits") != std::string::npos);
}

TEST_CASE("a folder is not a configuration file") {
  const Scratch folder;
  Config config;
  CHECK_THROWS_WITH_AS(read_config(config, folder.path), doctest::Contains("configuration file"), ConfigError);
}

TEST_CASE("a cosine ends with the training unless it is told when, and steps must be told") {
  Config config;
  set_config(config, "train.schedule=cosine");
  resolve_config(config);
  CHECK(config.schedule.period == 12);
  set_config(config, "train.epochs=20");
  resolve_config(config);
  CHECK(config.schedule.period == 12);
  set_config(config, "train.schedule=step");
  config.schedule.period = 0;
  CHECK_THROWS_WITH_AS(resolve_config(config), doctest::Contains("needs train.schedule_epochs"), ConfigError);
}

TEST_CASE("a width of 0 stands for the backbone's own") {
  Config config;
  resolve_config(config);
  CHECK(config.model.backbone.base == 64);
  config = {};
  config.model.backbone.kind = BackboneKind::unet_plus_plus;
  resolve_config(config);
  CHECK(config.model.backbone.base == 32);
}
