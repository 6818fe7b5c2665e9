/// The plan of a study, its intervals, and its report from records.
#include "cris/study/study_report.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "cris/report/statistics.h"
#include "cris/run/shell_word.h"
#include "cris/study/plan.h"
#include "cris/study/records.h"
#include "cris/study/slurm.h"
#include "data/format_error.h"
#include "tensor/random.h"
#include "tests/cris/finished_run.h"
#include "tests/message.h"

using cris::ConfigError;
using cris::ImagesOfSeeds;
using cris::Interval;
using doctest::Approx;
using doctest::Contains;

namespace {

const char* const kPlan = R"([study]
backbones = ["segnet", "unet"]
strategies = ["backbone", "crf", "cris"]
trials = 0
epochs = 4
trial_epochs = 2
seeds = [3, 5]

[settings]
data.size = 64
model.base = 8
train.learning_rate = 1e-3

[sets.kvasir-seg]
images = 20

[sets.cvc-clinicdb]
settings.data.jitter = 0.5

[variants.sequences]
sets = ["cvc-clinicdb"]
backbones = ["unet"]
strategies = ["cris"]
tuned = false
settings.data.protocol = "sequences"

[variants.pieces]
backbones = ["unet"]
strategies = ["crf"]
begins_with = "backbone"
settings.refiner.kernels = [5, 3]
)";

cris::Plan plan_of(const Scratch& scratch, const std::string& text) {
  tensor::write_file_atomically(scratch / "plan.toml", text);
  return cris::read_plan(scratch / "plan.toml");
}

}  // namespace

TEST_CASE("study: cells come in the order of work, with the settings of all that they belong to") {
  const Scratch s;
  const cris::Plan plan = plan_of(s, kPlan);
  std::string names;
  for (const cris::Cell& c : plan.cells) names += c.name + "\n";
  CHECK(names ==
        "kvasir-seg-segnet-backbone\nkvasir-seg-segnet-crf\nkvasir-seg-segnet-cris\ncvc-clinicdb-segnet-backbone\n"
        "cvc-clinicdb-segnet-crf\ncvc-clinicdb-segnet-cris\nkvasir-seg-unet-backbone\nkvasir-seg-unet-crf\n"
        "kvasir-seg-unet-cris\ncvc-clinicdb-unet-backbone\ncvc-clinicdb-unet-crf\ncvc-clinicdb-unet-cris\n"
        "cvc-clinicdb-unet-cris-sequences\nkvasir-seg-unet-crf-pieces\ncvc-clinicdb-unet-crf-pieces\n");
  const cris::Cell& cell = cris::cell_of(plan, "cvc-clinicdb-unet-cris-sequences");
  const cris::Config trial = cris::trial_config(plan, cell), final_run = cris::final_config(plan, cell, 5);
  CHECK(trial.train.epochs == 2);
  CHECK(trial.train.seed == 3);
  CHECK(final_run.train.epochs == 4);
  CHECK(final_run.train.seed == 5);
  CHECK(final_run.data.dir == "data-64/cvc-clinicdb");
  CHECK(final_run.data.augmentation.jitter == 0.5);
  CHECK(final_run.data.protocol == data::Protocol::sequences);
  CHECK(final_run.schedule.learning_rate == 1e-3);
  CHECK_FALSE(cell.tuned);
  const cris::Config pieces = cris::final_config(plan, cris::cell_of(plan, "kvasir-seg-unet-crf-pieces"), 5);
  CHECK(pieces.train.start_from == "runs/kvasir-seg-unet-backbone-seed5");
  CHECK(pieces.model.refiner.kernels == std::vector<int64_t>{5, 3});
  CHECK(cris::set_of(plan, "kvasir-seg").images == 20);
}

TEST_CASE("study: what is wrong in a plan is named with file and line") {
  const Scratch s;
  const auto refuses = [&](const std::string& from, const std::string& to, const char* message) {
    CHECK_THROWS_WITH_AS(plan_of(s, replaced(kPlan, from, to)), Contains(message), ConfigError);
  };
  refuses("trials = 0", "trails = 0", "plan.toml:4: unknown key \"study.trails\"");
  refuses("trials = 0", "trials = -1", "plan.toml:4: study.trials = -1 must be at least 0");
  refuses("trials = 0", "trials = \"many\"", "plan.toml:4: study.trials must be a whole number");
  refuses("seeds = [3, 5]", "seeds = [3, 3]", "plan.toml:7: study.seeds must be a list of whole numbers");
  refuses("\"segnet\"", "\"resnet\"", "plan.toml:2: study.backbones: \"resnet\" is unknown");
  refuses("data.size = 64", "data.sise = 64", "plan.toml:10: unknown key \"data.sise\"; the nearest is \"data.size\"");
  refuses("data.size = 64", "train.epochs = 9",
          "plan.toml:10: train.epochs is the plan's own: it comes from study.epochs");
  refuses("data.size = 64", "data.size = 80",
          "cell kvasir-seg-segnet-backbone: data.size = 80 is not a multiple of 32");
  refuses("\"sequences\"", "\"videos\"", "plan.toml:25: data.protocol = \"videos\" is unknown");
  refuses("begins_with = \"backbone\"", "begins_with = \"fcn\"", "\"fcn\" is not a strategy of this plan");
  refuses("[sets.kvasir-seg]", "[sets.\"../x\"]", "plan.toml:14: the name \"../x\" must be of lower-case letters");
  refuses("trials = 0", "trials = ", "plan.toml:4: ");
  refuses("[study]", "[# study]", "plan.toml:1: ");  // toml++ asserts on it
  refuses("[sets.cvc-clinicdb]", "[sets.kvasir-seg-unet-cris]\n[variants.unet-cris]\n[sets.cvc-clinicdb]",
          "cell kvasir-seg-unet-cris-unet-cris: two cells have this name; rename a set or a variant");
  CHECK_THROWS_WITH_AS(cris::read_plan(s / "none.toml"), Contains("give the plan of a study"), ConfigError);
}

TEST_CASE("study: it goes on with more cells and seeds, and with nothing else changed") {
  const Scratch s;
  const cris::Plan before = plan_of(s, kPlan);
  const auto check = [&](const std::string& from, const std::string& to) {
    cris::require_continues(before, plan_of(s, replaced(kPlan, from, to)));
  };
  CHECK_NOTHROW(check("seeds = [3, 5]", "seeds = [3, 5, 6]"));
  CHECK_NOTHROW(check("\"cris\"]", "\"cris\", \"fcn\"]"));
  CHECK_NOTHROW(check("model.base = 8", "model.base = 8\nrun.threads = 3"));
  CHECK_THROWS_WITH_AS(check("model.base = 8", "model.base = 4"), Contains("model.base: 8, not 4"), ConfigError);
  CHECK_THROWS_WITH_AS(check("trial_epochs = 2", "trial_epochs = 3"), Contains("trial_epochs: 2, not 3"), ConfigError);
  CHECK_THROWS_WITH_AS(check("\"segnet\", ", ""), Contains("it has no cell"), ConfigError);
}

TEST_CASE("study: the interval holds the noise of seeds and that of images") {
  constexpr int kSeeds = 8, kImages = 200;
  constexpr double kOfSeed = 0.02, kOfImage = 0.3;
  ImagesOfSeeds values(kSeeds, std::vector<double>(kImages));
  const auto draw = [](uint32_t stream, int i) {
    return tensor::normal({.seed = 4, .stream = stream, .step = 0}, uint64_t(i));
  };
  for (int s = 0; s < kSeeds; ++s)
    for (int i = 0; i < kImages; ++i) values[size_t(s)][size_t(i)] = 0.5 + kOfSeed * draw(1, s) + kOfImage * draw(2, i);
  const Interval both = cris::hierarchical_bootstrap(values);
  const double width = both.high - both.low;
  double images = 0, seeds = 0, seed_mean = 0;
  for (int i = 0; i < kImages; ++i) images += std::pow(draw(2, i), 2) / kImages;
  for (int s = 0; s < kSeeds; ++s) seed_mean += draw(1, s) / kSeeds;
  for (int s = 0; s < kSeeds; ++s) seeds += std::pow(draw(1, s) - seed_mean, 2) / kSeeds;
  const double expected = std::sqrt(kOfImage * kOfImage * images / kImages + kOfSeed * kOfSeed * seeds / kSeeds);
  CHECK(width == Approx(2 * 1.96 * expected).epsilon(0.05));
  CHECK(both.low < both.mean);
  CHECK(both.mean < both.high);
  CHECK(both.deviation == Approx(kOfSeed * std::sqrt(seeds * kSeeds / (kSeeds - 1))).epsilon(1e-6));
  // What seeds and images share does not blur a paired difference.
  ImagesOfSeeds better = values;
  for (auto& row : better)
    for (double& v : row) v += 0.001;
  const Interval gain = cris::paired_difference(better, values);
  CHECK(gain.low == Approx(0.001));
  CHECK(gain.high == Approx(0.001));
  CHECK(gain.excludes_zero());
  const Interval apart = cris::unpaired_difference(better, values);
  CHECK(apart.mean == Approx(0.001));
  CHECK(apart.high - apart.low == Approx(std::sqrt(2) * width).epsilon(0.05));
  CHECK_FALSE(apart.excludes_zero());
  CHECK_THROWS_WITH_AS(cris::hierarchical_bootstrap({{1, 2}, {1}}), Contains("their splits differ"), tensor::Error);
  CHECK_THROWS_WITH_AS(cris::hierarchical_bootstrap({}), Contains("no value"), tensor::Error);
}

TEST_CASE("study: tables, intervals and verdicts come from the records alone") {
  const Scratch s;
  const cris::Plan plan = plan_of(s, kPlan);
  const auto run = [&](const std::string& cell, int64_t seed, double dice) {
    const cris::Cell& c = cris::cell_of(plan, cell);
    finished_run(s, "study/" + cris::run_folder(c, seed), cris::final_config(plan, c, seed), dice);
  };
  for (const int64_t seed : {3, 5}) {
    run("kvasir-seg-unet-cris", seed, 0.8);
    run("kvasir-seg-unet-backbone", seed, seed == 3 ? 0.6 : 0.5);
    run("cvc-clinicdb-unet-crf", seed, 0.4);
    run("cvc-clinicdb-unet-cris", seed, 0.4);
    run("cvc-clinicdb-unet-crf-pieces", seed, 0.2);
  }
  const cris::RecordsMade made = cris::collect_records(plan, s / "study", s / "records");
  CHECK(made.runs == 10);
  CHECK(made.missing == 20);
  const std::string recorded = s / "records/runs/kvasir-seg-unet-cris-seed3/";
  CHECK(
      tensor::read_file(recorded + "per_image.csv").starts_with("name,dice,precision,recall,mse\n0,0.8,1,1,0.12346\n"));
  CHECK(!contains(tensor::read_file(recorded + "manifest.json"), "somewhere"));
  CHECK(tensor::read_file(recorded + "SHA256SUMS") == std::string(64, 'a') + "  metrics.jsonl\n");
  std::filesystem::remove_all(s / "study");

  const cris::StudyReport report = cris::study_report(s / "records", "T");
  for (const char* part : {"Kvasir-SEG: 64x64 pixels, 4 epochs", "76.69     52.25±6.72", "85.99     76.00±0.00",
                           "UNet: cris - backbone    +9.30    +23.75", "holds",
                           "UNet: cris - crf    +3.80     +0.00   0.00 to 0.00               open",
                           "CVC-ClinicDB, variant pieces: UNet crf", "-19.00", "below"})
    CHECK_MESSAGE(contains(report.text, part), part, " is not in\n", report.text);
  CHECK(contains(report.html, "<summary>CVC-ClinicDB, variant pieces</summary>"));
  CHECK(!contains(report.html, "somewhere"));
  tensor::write_file_atomically(recorded + "evaluation.json", "{}");
  CHECK_THROWS_WITH_AS(cris::study_report(s / "records", "T"), Contains("was changed"), data::FormatError);
}

TEST_CASE("study: a word of a shell is quoted where it must be") {
  CHECK(cris::shell_word("a/b-1.toml") == "a/b-1.toml");
  CHECK(cris::shell_word("it's $HOME") == "'it'\\''s $HOME'");
  CHECK(cris::shell_word("") == "''");
}
