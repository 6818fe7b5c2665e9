/// Chapter 12: the study. How a rate is searched, when a trial is given up, and what a difference may be called.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cris/report/statistics.h"
#include "cris/study/median_pruner.h"
#include "cris/study/tpe.h"

using namespace cris;

namespace {

/// A pretended training: Dice as a function of the learning rate, best at 3e-3.
double pretended_dice(double rate) { return 0.8 * std::exp(-std::pow(std::log10(rate / 3e-3), 2)); }

/// Dice of each test image in the records of docs/study/records, by seed.
ImagesOfSeeds recorded(const std::string& cell) {
  ImagesOfSeeds all;
  for (int seed = 0; seed < 3; ++seed) {
    std::ifstream file(fmt::format("{}/docs/study/records/runs/{}-seed{}/per_image.csv", CRIS_SOURCE_DIR, cell, seed));
    std::string line, part;
    all.emplace_back();
    for (std::getline(file, line); std::getline(file, line);) {
      std::stringstream row(line);
      std::getline(row, part, ','), std::getline(row, part, ',');  // name, Dice
      all.back().push_back(std::stod(part));
    }
  }
  return all;
}

}  // namespace

int main() {
  // Twenty trials on the paper's range of learning rates.
  const Dimension rate{.name = "train.learning_rate", .low = 1e-6, .high = 1e-2, .log = true};
  std::vector<Trial> trials;
  double best_random = 0, best = 0;
  for (int64_t number = 0; number < 20; ++number) {
    const double value = suggest(rate, trials, /*seed=*/0, number);
    const double dice = pretended_dice(value);
    (number < kStartupTrials ? best_random : best) = std::max(number < kStartupTrials ? best_random : best, dice);
    trials.push_back(
        {.id = number, .number = number, .state = TrialState::complete, .params = {{rate.name, value}}, .value = dice});
    if (number % 3 == 0) fmt::print("trial {:2}: rate {:.1e}, Dice {:.3f}\n", number, value, dice);
  }
  fmt::print("best of 10 uniform trials {:.3f}, of 10 by TPE {:.3f}\n\n", best_random, best);

  // Five complete trials, and a sixth that lags behind.
  std::vector<Trial> others;
  for (int i = 0; i < 5; ++i)
    others.push_back(
        {.id = i, .number = i, .state = TrialState::complete, .intermediate = {{0, 0.1 * i}, {1, 0.2 + 0.1 * i}}});
  for (const double dice : {0.15, 0.25}) {
    const Trial sixth{.id = 5, .number = 5, .intermediate = {{0, dice}}};
    fmt::print("a first Dice of {} where the median is 0.2: {}\n", dice,
               MedianPruner{}.prunes(others, sixth) ? "pruned" : "goes on");
  }
  fmt::print("\n");

  // The paper says: cris is better than the plain U-Net, by 9.30 points on Kvasir-SEG and 1.04 on CVC-ClinicDB.
  for (const char* set : {"kvasir-seg", "cvc-clinicdb"}) {
    const Interval d =
        paired_difference(recorded(fmt::format("{}-unet-cris", set)), recorded(fmt::format("{}-unet-backbone", set)));
    fmt::print("{:<13} cris - backbone {:+.2f} points, 95 % interval {:+.2f} to {:+.2f}: {}\n", set, 100 * d.mean,
               100 * d.low, 100 * d.high,
               !d.excludes_zero() ? "open"
               : d.mean > 0       ? "holds"
                                  : "does not hold");
  }
}
