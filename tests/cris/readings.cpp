/// The readings of the paper: each switch changes what it says and nothing else.
#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <sstream>

#include "cris/run/csv.h"
#include "cris/training_step.h"
#include "nn/init.h"
#include "nn/optimizer.h"
#include "tests/cris/tiny_run.h"

using namespace cris;
using autograd::Variable;
using tensor::Device;
using tensor::DType;
using tensor::Tensor;

namespace {

constexpr Loss kL1 = Loss::mask_mse, kL2 = Loss::output_bce;

/// The losses of three epochs of three batches, in order.
std::vector<Loss> order(const CrisOptions& options, Strategy strategy = Strategy::cris) {
  std::vector<Loss> losses;
  for (StepPosition at; at.epoch < 3; ++at.epoch)
    for (at.batch = 0; at.batch < 3; ++at.batch, ++at.number)
      for (at.turn = 0; at.turn < turns(strategy, options); ++at.turn) losses.push_back(loss_of(strategy, options, at));
  return losses;
}

/// A small model and what trains it.
struct Bench {
  CrisOptions options;
  Model model;
  nn::Adam adam;
  Tensor x = tensor::uniform({5, 1, 0}, {2, 32, 32, 3}, 0, 1, DType::f32, Device::cpu);
  Tensor mask =
      tensor::map(tensor::Threshold{0.7}, tensor::uniform({5, 2, 0}, {2, 32, 32, 1}, 0, 1, DType::f32, Device::cpu));

  explicit Bench(Strategy strategy, const CrisOptions& options = {}, const ModelOptions& base = {})
      : options(options), model(with(strategy, base)), adam(model) {
    nn::initialize(model, 1);
  }
  static ModelOptions with(Strategy strategy, ModelOptions o) {
    o.strategy = strategy;
    o.backbone.base = 2;
    o.refiner.channels = 4;
    o.refiner.kernels = {5, 3};
    return o;
  }
  double step(const StepPosition& at) {
    return training_step(model, adam, {.strategy = model.options.strategy, .cris = options, .seed = 1}, at, x, mask,
                         1e-3);
  }
  /// Every weight, by name.
  std::map<std::string, std::vector<double>> weights() {
    std::map<std::string, std::vector<double>> all;
    for (const auto& p : model.parameters()) all[p.name] = p.value->value().to_vector();
    return all;
  }
};

bool is_refiner(const std::string& name) { return name.starts_with("refiner."); }

}  // namespace

TEST_CASE("alternate and first_loss: the order of the losses, and two steps a batch") {
  using A = Alternate;
  const std::vector<Loss> l1(3, kL1), l2(3, kL2);
  const auto joined = [](std::vector<Loss> a, const std::vector<Loss>& b, const std::vector<Loss>& c) {
    a.insert(a.end(), b.begin(), b.end());
    a.insert(a.end(), c.begin(), c.end());
    return a;
  };
  CHECK(order({.alternate = A::epoch}) == joined(l1, l2, l1));
  CHECK(order({.alternate = A::epoch, .first = FirstLoss::bce}) == joined(l2, l1, l2));
  const std::vector<Loss> batch{kL1, kL2, kL1};  // of an odd number: two steps of L1 meet at the border
  CHECK(order({.alternate = A::batch}) == joined(batch, batch, batch));
  CHECK(order({.alternate = A::step}) == std::vector<Loss>{kL1, kL2, kL1, kL2, kL1, kL2, kL1, kL2, kL1});
  CHECK(order({.alternate = A::step, .first = FirstLoss::bce})[0] == kL2);
  const std::vector<Loss> both = order({.alternate = A::both});
  CHECK(both.size() == 18);
  for (size_t i = 0; i < both.size(); ++i) CHECK(both[i] == (i % 2 == 0 ? kL1 : kL2));
  for (const A a : {A::epoch, A::batch, A::step, A::both}) {
    CHECK(order({.alternate = a, .weighted_sum = true}) == std::vector<Loss>(9, Loss::weighted_sum));
    CHECK(order({.alternate = a, .first = FirstLoss::bce}, Strategy::fcn) == std::vector<Loss>(9, kL2));
    CHECK(mixed(Strategy::cris, {.alternate = a}) == (a != A::epoch));
  }
}

TEST_CASE("output_loss: what fcn is trained by, each by its formula, cris does not see it") {
  const Tensor z = tensor::uniform({9, 1, 0}, {2, 8, 8, 1}, -2, 2, DType::f64, Device::cpu);
  const Tensor t =
      tensor::map(tensor::Threshold{0.5}, tensor::uniform({9, 2, 0}, {2, 8, 8, 1}, 0, 1, DType::f64, Device::cpu));
  const std::vector<double> logits = z.to_vector(), target = t.to_vector();
  double bce = 0, mse = 0, dice = 0;
  for (size_t image = 0; image < 2; ++image) {
    double both = 0, all = 0;
    for (size_t i = image * 64; i < (image + 1) * 64; ++i) {
      const double p = 1 / (1 + std::exp(-logits[i]));
      bce -= (target[i] * std::log(p) + (1 - target[i]) * std::log(1 - p)) / 128;
      mse += (p - target[i]) * (p - target[i]) / 128;
      both += p * target[i], all += p + target[i];
    }
    dice += (1 - (2 * both + 1) / (all + 1)) / 2;
  }
  const std::tuple<OutputLoss, Loss, double> rows[] = {{OutputLoss::bce, Loss::output_bce, bce},
                                                       {OutputLoss::mse, Loss::output_mse, mse},
                                                       {OutputLoss::dice, Loss::output_dice, dice},
                                                       {OutputLoss::bce_dice, Loss::output_bce_dice, bce + dice}};
  for (const auto& [setting, loss, expected] : rows) {
    const std::string name(tensor::name(setting));
    CAPTURE(name);
    for (const Strategy s : {Strategy::backbone, Strategy::fcn, Strategy::crf})
      CHECK(loss_of(s, {.output_loss = setting}, {}) == loss);
    CHECK(order({.output_loss = setting}) == order({}));
    const Tensor unread = tensor::full_like(z, 100);
    const double value = loss_value(loss, {}, Variable(unread), Variable(z), t).value().item();
    CHECK(value == doctest::Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("refiner_rate: the refiner's step is that factor of itself, the backbone's is the same bits") {
  Bench one(Strategy::fcn), tenth(Strategy::fcn);
  tenth.adam.set_rate_factor("refiner.", 0.1);
  const auto before = one.weights();
  one.step({});
  tenth.step({});
  const auto a = one.weights(), b = tenth.weights();
  int moved = 0;
  for (const auto& weight : before) {
    const auto& name = weight.first;
    const auto& w = weight.second;
    CAPTURE(name);
    if (!is_refiner(name)) CHECK(a.at(name) == b.at(name));
    if (is_refiner(name))
      for (size_t i = 0; i < w.size(); ++i) {
        CHECK(std::abs(b.at(name)[i] - w[i] - 0.1 * (a.at(name)[i] - w[i])) < 2e-6);
        moved += a.at(name)[i] != w[i];
      }
  }
  CHECK(moved > 100);
}

TEST_CASE("zero_gradients: steps of L1 leave the refiner to the bit, or move it by Adam's step of a gradient of 0") {
  Bench absent(Strategy::cris), zeros(Strategy::cris);
  zeros.adam.set_missing_as_zero(true);
  const auto fresh = absent.weights();
  for (Bench* b : {&absent, &zeros}) {
    b->step({.epoch = 0});
    for (const auto& [name, w] : b->weights()) CHECK((w == fresh.at(name)) == is_refiner(name));
    b->step({.epoch = 1});
  }
  const auto after_l2 = absent.weights();
  CHECK(zeros.weights() == after_l2);
  const auto state = absent.adam.state();
  for (Bench* b : {&absent, &zeros}) b->step({.epoch = 2});
  const auto kept = absent.weights(), moved = zeros.weights();
  for (const auto& weight : after_l2) {
    const auto& name = weight.first;
    const auto& w = weight.second;
    CAPTURE(name);
    if (!is_refiner(name)) {
      CHECK(kept.at(name) == moved.at(name));
      continue;
    }
    CHECK(kept.at(name) == w);
    const nn::ParameterState &was = state.at(name), &same = absent.adam.state().at(name),
                             &now = zeros.adam.state().at(name);
    CHECK(same.step == 1);
    CHECK(now.step == 2);
    for (size_t k = 0; k < 2; ++k) CHECK(same.moments[k].to_vector() == was.moments[k].to_vector());
    const auto m = was.moments[0].to_vector(), v = was.moments[1].to_vector();
    for (size_t i = 0; i < w.size(); ++i) {
      const double step = 1e-3 * (0.9 * m[i] / (1 - 0.81)) / (std::sqrt(0.999 * v[i] / (1 - 0.998001)) + 1e-8);
      CHECK(std::abs(moved.at(name)[i] - (w[i] - step)) < 2e-6);
    }
  }
}

TEST_CASE("model.norm = none: U-Net's convolutions have biases in the place of norms") {
  ModelOptions options;
  options.backbone.norm = NormKind::none;
  Bench with(Strategy::backbone), without(Strategy::backbone, {}, options);
  std::set<std::string> a, b;
  for (const auto& [name, w] : with.weights()) a.insert(name);
  for (const auto& [name, w] : without.weights()) b.insert(name);
  for (std::string name : a) {
    if (const size_t at = name.find("norm"); at != std::string::npos) {
      const std::string conv = name.replace(at, 4, "conv");
      CHECK(b.contains(conv.substr(0, conv.rfind('.')) + ".bias"));
    } else {
      CHECK(b.contains(name));
    }
  }
  for (const std::string& name : b) CHECK(name.find("norm") == std::string::npos);
  CHECK(without.model.buffers().empty());
  const double first = without.step({});
  for (int i = 1; i < 20; ++i) without.step({.number = uint32_t(i)});
  CHECK(without.step({.number = 20}) < first);
  CHECK_THROWS_AS(make_backbone({.kind = BackboneKind::segnet, .norm = NormKind::none}), tensor::Error);
}

TEST_CASE("model.up = transposed: UNet++ doubles maps by ten convolutions, and its nodes read fewer channels") {
  ModelOptions options;
  options.backbone.kind = BackboneKind::unet_plus_plus;
  Bench bilinear(Strategy::backbone, {}, options);
  options.backbone.up = UpKind::transposed;
  Bench transposed(Strategy::backbone, {}, options);
  int ups = 0;
  for (const auto& [name, w] : bilinear.weights()) CHECK_FALSE(name.starts_with("backbone.up."));
  for (const auto& [name, w] : transposed.weights())
    ups += name.starts_with("backbone.up.") && name.ends_with("weight");
  CHECK(ups == 10);
  const std::string node = "backbone.node.0_4.conv1.weight";
  CHECK(bilinear.weights().at(node).size() == size_t(9 * 2 * (4 * 2 + 4)));
  CHECK(transposed.weights().at(node).size() == size_t(9 * 2 * (4 * 2 + 2)));
  const double first = transposed.step({});
  for (int i = 1; i < 20; ++i) transposed.step({.number = uint32_t(i)});
  CHECK(transposed.step({.number = 20}) < first);
  CHECK_THROWS_AS(make_backbone({.kind = BackboneKind::unet, .up = UpKind::transposed}), tensor::Error);
}

TEST_CASE("model.input = standard: the backbone reads (x - mean) / deviation, and nothing else differs") {
  ModelOptions options;
  Bench unit(Strategy::fcn, {}, options);
  options.input = Input::standard;
  Bench standard(Strategy::fcn, {}, options);
  CHECK(unit.weights() == standard.weights());
  const double mean[] = {0.485, 0.456, 0.406}, deviation[] = {0.229, 0.224, 0.225};
  std::vector<double> by_hand = unit.x.to_vector();
  for (size_t i = 0; i < by_hand.size(); ++i) by_hand[i] = (by_hand[i] - mean[i % 3]) / deviation[i % 3];
  unit.model.train(false), standard.model.train(false);
  const autograd::NoGrad off;
  const Tensor x = tensor::cast(Tensor::from(by_hand, unit.x.shape(), Device::cpu), DType::f32);
  const auto a = unit.model(Variable(x)).output.value().to_vector(),
             b = standard.model(Variable(standard.x)).output.value().to_vector();
  CHECK(unit.model(Variable(unit.x)).output.value().to_vector() != b);
  for (size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) < 1e-4);
}

TEST_CASE("keep: the training is the same, the model kept is the best, the best of L2, or the last") {
  TinyRun run(Strategy::cris);
  run.config.train.epochs = 4;
  for (const Keep keep : {Keep::best, Keep::best_l2, Keep::last}) {
    run.config.train.keep = keep;
    const std::string name = tensor::name(keep);
    const TrainResult result = run.train(name);
    const auto kept = run.values(name + "/checkpoints/best.safetensors"),
               last = run.values(name + "/checkpoints/last.safetensors"),
               first = run.values("best/checkpoints/last.safetensors");
    CHECK(last.at("backbone.head.weight") == first.at("backbone.head.weight"));
    if (keep == Keep::best_l2) CHECK(result.best_epoch % 2 == 1);
    if (keep != Keep::last) continue;
    CHECK(result.best_epoch == 3);
    for (const auto& [tensor, values] : kept) CHECK(last.at(tensor) == values);
  }
}

TEST_CASE("alternate = both: a step of each loss for every batch, both are recorded, each by itself") {
  TinyRun run(Strategy::cris);
  run.config.cris.alternate = Alternate::both;
  run.train("both");
  const auto last = run.values("both/checkpoints/last.safetensors");
  CHECK(last.at("optimizer.step.backbone.head.weight")[0] == 16);  // 2 epochs of 4 batches
  CHECK(last.at("optimizer.step.refiner.head.weight")[0] == 8);
  const std::string metrics = run.bytes("both/metrics.jsonl");
  CHECK(count_of("\"loss_name\":\"mse of the mask\"", metrics) == 8);
  CHECK(count_of("\"loss_name\":\"bce of the output\"", metrics) == 8);
  CHECK(count_of("\"training_mask_mse\":", metrics) == 2);
  CHECK(count_of("\"training_loss\":", metrics) == 0);
  const Rows epochs = read_epochs(run.folder / "both/epochs.csv");
  double mse = 0, bce = 0;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    if (!json.contains("step") || json["epoch"] != 1) continue;
    const double images = json["step"] == 3 ? 2 : 4;
    (json["loss_name"] == "mse of the mask" ? mse : bce) += json["loss"].get<double>() * images / 14;
  }
  CHECK(epochs[0][2].empty());
  CHECK(number(epochs, 0, 12, "epochs.csv") == doctest::Approx(mse));
  CHECK(number(epochs, 0, 13, "epochs.csv") == doctest::Approx(bce));
  REQUIRE(epochs[0].size() == 15);
  CHECK(metrics.find("\"validation_bce\":" + epochs[0][14] + ",") != std::string::npos);
}

TEST_CASE("an evaluation tells of every image that it scores") {
  struct Heard : Progress {
    std::map<std::string, std::vector<int64_t>> done;
    std::map<std::string, int64_t> of;
    void count(const std::string& what, int64_t n, int64_t all) override { done[what].push_back(n), of[what] = all; }
  } heard;
  TinyRun run(Strategy::backbone);
  run.config.train.epochs = 1;
  run.train("run");
  const auto model = load_model(run.folder / "run", run.config);
  const ExperimentData data = open_data(run.config);
  evaluate_run(*model, run.config, data, "test", run.folder / "scored", {.progress = &heard});
  REQUIRE(heard.done.size() == 2);
  for (const auto& [what, part] :
       {std::pair{"choosing the threshold", data.split.training}, {"scoring", data.split.test}}) {
    CHECK(heard.of[what] == int64_t(part.size()));
    REQUIRE(heard.done[what].size() == part.size());
    for (size_t i = 0; i < part.size(); ++i) CHECK(heard.done[what][i] == int64_t(i + 1));
  }
}

TEST_CASE("eval.size: scores at the network's size or each picture's own, from the same weights") {
  TinyRun run(Strategy::backbone);
  run.config.train.epochs = 1;
  run.train("run");
  const auto model = load_model(run.folder / "run", run.config);
  for (const ScoreSize size : {ScoreSize::network, ScoreSize::picture}) {
    run.config.eval.size = size;
    const Evaluation e = evaluate_run(*model, run.config, open_data(run.config), "test",
                                      run.folder / tensor::name(size), {.overlays = 1});
    const int64_t side = size == ScoreSize::network ? 32 : 40;
    std::vector<std::string> order;
    for (const ImageScore& i : e.scores.per_image(e.chosen.threshold)) {
      CHECK(i.pixels == side * side);
      order.push_back(i.name);
    }
    // Every pixel predicted: Dice is 2 m / (m + pixels) with m pixels of the mask, at the size of the scores.
    const auto json = nlohmann::json::parse(run.bytes(std::string(tensor::name(size)) + "/evaluation.json"));
    const auto every_pixel = json["baselines"]["every_pixel"]["dice_of_images"].get<std::vector<double>>();
    REQUIRE(every_pixel.size() == e.measures.images().size());
    for (size_t k = 0; k < every_pixel.size(); ++k) {
      const Counts& c = e.measures.images()[k].counts;
      const auto mask = double(c.true_positive + c.false_negative);
      CHECK(every_pixel[k] == doctest::Approx(2 * mask / (mask + double(side * side))));
    }
    CHECK(order == open_data(run.config).split.test);
  }
  CHECK(run.bytes("network/maps/01_" + open_data(run.config).split.test[0] + "_probability.png") ==
        run.bytes("picture/maps/01_" + open_data(run.config).split.test[0] + "_probability.png"));
}

TEST_CASE("settings that a strategy would ignore to its harm are refused with the key") {
  const auto refused = [](const std::vector<const char*>& settings, const char* words) {
    Config config;
    for (const char* s : settings) set_config(config, s);
    CAPTURE(settings[0]);
    CHECK_THROWS_WITH_AS(resolve_config(config), doctest::Contains(words), ConfigError);
  };
  refused({"train.strategy=fcn", "train.detach_refiner_input=true"}, "train.detach_refiner_input");
  refused({"train.strategy=cris", "train.output_loss=dice"}, "train.output_loss");
  refused({"train.strategy=fcn", "train.keep=best_l2"}, "train.keep");
  refused({"train.strategy=cris", "train.keep=best_l2", "train.epochs=1"}, "train.epochs");
  refused({"train.strategy=crf", "train.freeze=refiner"}, "train.freeze");
  refused({"train.strategy=backbone", "train.freeze=backbone"}, "train.freeze");
  refused({"train.strategy=cris", "train.freeze=backbone"}, "use strategy fcn");
  refused({"model.backbone=segnet", "model.norm=none"}, "model.norm");
  refused({"model.backbone=unet", "model.up=transposed"}, "model.up");
}
