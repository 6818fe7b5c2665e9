/// Piece-wise training: a run that begins with another's weights, and parts that keep theirs.
#include <doctest/doctest.h>

#include "data/hash.h"
#include "tests/cris/tiny_run.h"

using namespace cris;

TEST_CASE(
    "start_from: the backbone of another run, the refiner as drawn, the log lists both, the manifest has its hash") {
  TinyRun run(Strategy::backbone);
  run.train("backbone");
  const std::string file = run.folder / "backbone/checkpoints/best.safetensors";
  run.config.model.strategy = Strategy::fcn;
  auto drawn = make_model(run.config);
  run.config.train.start_from = run.folder / "backbone";
  auto begun = make_model(run.config);
  const std::string said = begin_from(*begun, run.config);
  CHECK(said.find("as drawn: refiner.expand.weight") != std::string::npos);
  const auto weights = run.values("backbone/checkpoints/best.safetensors");
  for (const auto& p : begun->parameters()) {
    CAPTURE(p.name);
    if (p.name.starts_with("backbone."))
      CHECK(nn::stored(p.value->value()).values() == weights.at(p.name));
    else
      for (const auto& q : drawn->parameters())
        if (q.name == p.name) CHECK(q.value->value().to_vector() == p.value->value().to_vector());
  }
  run.train("fcn");
  CHECK(run.bytes("fcn/log.txt").find(said) != std::string::npos);
  const auto manifest = nlohmann::json::parse(run.bytes("fcn/manifest.json"));
  CHECK(manifest["start_from"]["file"] == file);
  CHECK(manifest["start_from"]["sha256"] == data::sha256(tensor::read_file(file)));

  // The other way what the file has more is left out, by name.
  run.config.model.strategy = Strategy::backbone;
  run.config.train.start_from = run.folder / "fcn";
  auto back = make_model(run.config);
  CHECK(begin_from(*back, run.config).find("left out: refiner.conv.0.bias") != std::string::npos);

  run.config.model.backbone.base = 8;
  run.config.model.backbone.kind = BackboneKind::segnet;
  auto other = make_model(run.config);
  CHECK_THROWS_WITH_AS(begin_from(*other, run.config), doctest::Contains("it is of another one"), tensor::Error);
  run.config.train.start_from = run.folder / "nowhere";
  CHECK_THROWS_WITH_AS(begin_from(*other, run.config), doctest::Contains("train.start_from"), tensor::Error);
}

TEST_CASE("freeze: that part keeps its weights and statistics to the bit, the other is trained") {
  for (const Freeze freeze : {Freeze::backbone, Freeze::refiner}) {
    CAPTURE(tensor::name(freeze));
    TinyRun run(Strategy::fcn);
    run.config.train.freeze = freeze;
    run.train("run");
    auto fresh = make_model(run.config);
    const auto last = run.values("run/checkpoints/last.safetensors");
    const std::string prefix = std::string(tensor::name(freeze)) + ".";
    int changed = 0;
    const auto compare = [&](const std::string& name, const tensor::Tensor& before) {
      CAPTURE(name);
      const bool same = nn::stored(before).values() == last.at(name);
      if (name.starts_with(prefix)) CHECK(same);
      changed += !same;
    };
    for (const auto& p : fresh->parameters()) compare(p.name, p.value->value());
    for (const auto& b : fresh->buffers()) compare(b.name, *b.value);
    CHECK(changed > 5);
    for (const auto& c : fresh->counters())
      CHECK((last.at(c.name)[0] == 0) == (freeze == Freeze::backbone && c.name.starts_with(prefix)));
  }
}
