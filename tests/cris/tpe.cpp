/// The sampler and the pruner against tables that Optuna made (tests/study/make_optuna_tables.py).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cris/study/median_pruner.h"
#include "cris/study/tpe.h"
#include "tensor/machine/atomic_file.h"
#include "tests/message.h"

using namespace cris;
using nlohmann::json;

namespace {

json optuna_tables() { return json::parse(tensor::read_file(CRIS_SOURCE_DIR "/tests/study/optuna.json")); }

double number_or_nan(const json& j) { return j.is_null() ? NAN : j.get<double>(); }

Dimension dimension_of(const json& c) { return SearchSpace::parse({c.at("search").get<std::string>()}).dimensions[0]; }

/// What is to be minimised becomes, with another sign, what is to be maximised.
double sign_of(const json& c) { return c.at("direction") == "maximize" ? 1 : -1; }

Trial trial_of(const json& t, int64_t number, double sign) {
  Trial trial{.id = number, .number = number};
  trial.state = t.at("state") == "complete" ? TrialState::complete : TrialState::pruned;
  if (t.contains("x")) trial.params["x"] = t["x"];
  if (t.contains("value")) trial.value = sign * t["value"].get<double>();
  for (size_t step = 0; step < t.at("intermediate").size(); ++step)
    trial.intermediate[int64_t(step)] = sign * number_or_nan(t["intermediate"][step]);
  return trial;
}

std::vector<Trial> trials_of(const json& list, double sign) {
  std::vector<Trial> trials;
  for (const json& t : list) trials.push_back(trial_of(t, int64_t(trials.size()), sign));
  return trials;
}

/// The largest relative difference.
double apart(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]) / std::max(1e-12, std::abs(b[i])));
  return most;
}

/// By mean, then deviation: numpy leaves open which of two equal values comes first.
std::pair<std::vector<double>, std::vector<double>> sorted_kernels(const std::vector<double>& means,
                                                                   const std::vector<double>& deviations) {
  std::vector<std::pair<double, double>> kernels;
  for (size_t i = 0; i < means.size(); ++i) kernels.emplace_back(means[i], deviations.at(i));
  std::sort(kernels.begin(), kernels.end());
  std::pair<std::vector<double>, std::vector<double>> sorted;
  for (const auto& [m, s] : kernels) sorted.first.push_back(m), sorted.second.push_back(s);
  return sorted;
}

}  // namespace

TEST_CASE("Parzen estimators have Optuna's weights, means, deviations, densities and quantiles") {
  const json tables = optuna_tables();
  for (const json& c : tables.at("estimators")) {
    const Dimension d = dimension_of(c);
    INFO(d.name, ", ", c["observed"].size(), " values");
    const ParzenEstimator p(d, c["observed"].get<std::vector<double>>());
    CHECK(apart(p.weights(), c["weights"]) < 1e-14);
    if (c.contains("means")) {
      const auto kernels = sorted_kernels(p.means(), p.deviations()),
                 expected = sorted_kernels(c["means"], c["deviations"]);
      CHECK(apart(kernels.first, expected.first) < 1e-14);
      CHECK(apart(kernels.second, expected.second) < 1e-13);
    }
    std::vector<double> density;
    for (const double x : c["points"]) density.push_back(p.log_density(x));
    CHECK(apart(density, c["log_density"]) < 1e-10);
    const json quantiles = c.value("quantiles", json::array());
    for (const json& q : quantiles) {
      // The middle of the kernel's share picks it.
      double u = 0;
      for (size_t k = 0; k < q[0].get<size_t>(); ++k) u += p.weights()[k];
      const double x = p.sample(u + p.weights()[q[0].get<size_t>()] / 2, q[1]);
      CHECK(std::abs(x / q[2].get<double>() - 1) < 1e-7);
    }
  }
}

TEST_CASE("trials are split as by Optuna, and the same candidate is taken") {
  const json tables = optuna_tables();
  for (const json& c : tables.at("suggestions")) {
    const Dimension d = dimension_of(c);
    const std::vector<Trial> trials = trials_of(c["trials"], sign_of(c));
    INFO(d.name, ", ", trials.size(), " trials");
    const TrialSplit split = split_trials(trials);
    std::vector<int64_t> better;
    std::vector<double> l, g;
    for (const Trial* t : split.better) better.push_back(t->number), l.push_back(t->params.at("x"));
    for (const Trial* t : split.others) g.push_back(t->params.at("x"));
    CHECK(better == c["better"].get<std::vector<int64_t>>());
    CHECK(best_candidate({d, l}, {d, g}, c["candidates"]) == c["best"].get<size_t>());
  }
}

TEST_CASE("the median pruner decides as Optuna's") {
  int pruned = 0;
  const json tables = optuna_tables();
  for (const json& c : tables.at("prunings")) {
    INFO(c.dump());
    Trial trial;
    for (const json& r : c["reported"]) trial.intermediate[r[0]] = sign_of(c) * number_or_nan(r[1]);
    const MedianPruner pruner{c["startup_trials"], c["warmup_steps"], c["interval_steps"], c["least_trials"]};
    CHECK(pruner.prunes(trials_of(c["others"], sign_of(c)), trial) == c["prunes"].get<bool>());
    pruned += c["prunes"].get<bool>();
  }
  CHECK(pruned >= 10);
}

TEST_CASE("draws are functions of seed, name and number, follow their density and stay in range") {
  const auto dimension = [](const char* text) { return SearchSpace::parse({text}).dimensions[0]; };
  const Dimension rate = dimension("train.learning_rate=1e-6..1e-2:log"),
                  width = dimension("refiner.channels=2..64:log");
  const Dimension other = dimension("train.epsilon=1e-6..1e-2:log");
  CHECK(suggest(rate, {}, 0, 3) == suggest(rate, {}, 0, 3));
  std::vector<double> first = {suggest(rate, {}, 0, 3)};
  for (const double x : {suggest(rate, {}, 1, 3), suggest(rate, {}, 0, 4), suggest(other, {}, 0, 3)}) {
    CHECK(x != first[0]);
    CHECK((x >= 1e-6 && x <= 1e-2));
  }
  CHECK(uniform_value(rate, 0.5) == doctest::Approx(1e-4));
  CHECK(uniform_value(width, 1e-9) == 2);
  CHECK(uniform_value(width, 1 - 1e-9) == 64);
  const Dimension kind = dimension("model.backbone=unet,unet++,segnet");
  CHECK((uniform_value(kind, 0.0) == 0 && uniform_value(kind, 0.34) == 1 && uniform_value(kind, 0.99) == 2));

  // Shares of draws in each tenth of the range against the integral of the density over it.
  const ParzenEstimator p(rate, {1e-3, 2e-3, 5e-5});
  std::vector<double> drawn(10), expected(10);
  const int side = 200, parts = 400;
  for (int i = 0; i < side * side; ++i) {
    const double x = std::log10(p.sample((i / side + 0.5) / side, (i % side + 0.5) / side));
    drawn[std::min<size_t>(9, size_t((x + 6) / 0.4))] += 1.0 / (side * side);
  }
  for (int i = 0; i < 10 * parts; ++i) {
    const double x = -6 + 0.4 * (i + 0.5) / parts;
    expected[size_t(i / parts)] += std::exp(p.log_density(std::pow(10, x))) * std::log(10) * 0.4 / parts;
  }
  for (size_t i = 0; i < 10; ++i) CHECK(drawn[i] == doctest::Approx(expected[i]).epsilon(0.03));

  // Good trials near 1e-3: the suggestions come near.
  std::vector<Trial> seen;
  for (int64_t i = 0; i < 20; ++i) {
    const double x = uniform_value(rate, (double(i) + 0.5) / 20);
    seen.push_back({.number = i,
                    .state = TrialState::complete,
                    .params = {{rate.name, x}},
                    .value = -std::abs(std::log10(x) + 3)});
  }
  int near = 0;
  for (int64_t n = 20; n < 60; ++n) near += std::abs(std::log10(suggest(rate, seen, 5, n)) + 3) < 0.7;
  CHECK(near >= 32);
}

TEST_CASE("values for people: what was drawn in three digits, what was chosen as it is") {
  CHECK(short_value("0.0018725265937377850") == "0.00187");
  CHECK(short_value("2.5516972115800605e-05") == "2.55e-05");
  for (const char* chosen : {"0.9995", "1e-3", "16", "unet++", "[7,5,3]"}) CHECK(short_value(chosen) == chosen);
}

TEST_CASE("search spaces: their forms, and what is refused") {
  const SearchSpace space = SearchSpace::parse({"train.learning_rate=1e-6..1e-2:log", "refiner.channels=8,16,32",
                                                "refiner.kernels=[7,5,3],[3,3]", "train.batch=2..8"});
  CHECK(space.dimensions[1].distribution() ==
        R"({"name":"CategoricalDistribution","attributes":{"choices":[8,16,32]}})");
  CHECK(space.dimensions[2].text(1) == "[3,3]");
  CHECK(space.dimensions[3].kind == Dimension::Kind::whole);
  const Dimension &rate = space.dimensions[0], &channels = space.dimensions[1], &batch = space.dimensions[3];
  for (const double v : {1e-6, 1e-2}) CHECK(rate.holds(v));
  for (const double v : {0.0, -1.0, 1e300, std::nan("")}) CHECK_FALSE(rate.holds(v));
  CHECK((channels.holds(2) && batch.holds(8)));
  for (const double v : {-1.0, 3.0, 7.0, 0.5, std::nan("")}) CHECK_FALSE(channels.holds(v));
  for (const double v : {1.0, 2.5, 9.0}) CHECK_FALSE(batch.holds(v));
  CHECK(contains(message_of<tensor::Error>([&] { (void)channels.text(7); }), "refiner.channels: there is no choice 7"));
  CHECK(SearchSpace::parse(space.specifications()).specifications() == space.specifications());
  space.check(Config());
  for (const auto& [text, what] : std::initializer_list<std::pair<const char*, const char*>>{
           {"train.learning_rat=1..2", "the nearest is \"train.learning_rate\""},
           {"train.learning_rate", "write KEY=LOW..HIGH"},
           {"train.learning_rate=1e-2..1e-6", "the range is empty"},
           {"train.learning_rate=0..1:log", "begins above 0"},
           {"train.learning_rate=a..1", "\"a\" is not a number"},
           {"train.batch=1.5..3", "whole number"},
           {"train.batch=4", "one value, and nothing to search"},
           {"train.batch=4,4", "occurs twice"},
           {"model.backbone=a..b", "this setting is not a number"},
           {"train.epochs=2..9", "what trials are compared on"},
           {"run.threads=1,2", "what trials are compared on"}})
    CHECK(contains(message_of<ConfigError>([&text = text] { SearchSpace::parse({text}); }), what));
  CHECK(contains(message_of<ConfigError>([&] {
                   SearchSpace::parse({"train.batch=1,2", "train.batch=3,4"});
                 }),
                 "searched already"));
  CHECK(contains(message_of<ConfigError>([&] { SearchSpace::parse({"data.jitter=1..9"}).check(Config()); }),
                 "out of range"));
}
