/// cris data: checks, splits, shrinks and makes data sets.
#include <fmt/format.h>

#include <limits>
#include <memory>

#include "cris/run/outputs.h"
#include "data/format_error.h"
#include "data/integrity.h"
#include "data/synthetic.h"
#include "tools/commands/command.h"
#include "tools/commands/interrupt.h"

namespace tools {

namespace {

struct DataOptions {
  std::string folder, out = "split.txt", split_file;
  int64_t size = 256, height = 0, width = 0, count = 200;
  uint64_t seed = 0;
  int threads = 0;
  bool by_sequence = false;
  data::SplitShares shares;

  int64_t rows() const { return height > 0 ? height : size; }
  int64_t columns() const { return width > 0 ? width : size; }
};

int check(const DataOptions& o) {
  const data::IntegrityReport report = data::check_dataset(o.folder, o.threads);
  fmt::print("{}", data::report_text(report));
  if (!o.split_file.empty()) {
    const data::Split split = data::read_split(o.split_file);
    const auto crossing = data::leaks(report, split);
    fmt::print("{:<18}{} pairs of equal or nearly equal images have one side in training, the other held out\n",
               "leaks", crossing.size());
    for (size_t i = 0; i < crossing.size() && i < 10; ++i)
      fmt::print("  {} ~ {} ({:.4f})\n", crossing[i].a, crossing[i].b, crossing[i].similarity);
  }
  return report.usable() ? kOk : kData;
}

int split(const DataOptions& o) {
  if (!(o.shares.validation + o.shares.test < 1))
    throw Failure(kUsage, "data split: --validation and --test must together be below 1, to leave images to train on");
  const data::Dataset dataset = data::open_dataset(o.folder);
  std::vector<std::string> names;
  for (const data::Pair& pair : dataset.pairs) names.push_back(pair.name);
  const data::Split split = o.by_sequence
                                ? data::grouped_split(names, data::cvc_clinicdb_groups(names), o.seed, o.shares)
                                : data::random_split(names, o.seed, o.shares);
  const std::string& path = o.out;
  cris::check_outputs({path});
  data::write_split(path, split);
  fmt::print("{}: training {}, validation {}, test {} ({})\nsha256 {}\n", path, split.training.size(),
             split.validation.size(), split.test.size(), split.protocol, data::split_hash(split));
  return kOk;
}

/// Before a set is written to `out`.
void check_set(const std::string& out, const std::vector<std::string>& names, const data::Dataset& from) {
  std::vector<std::string> outputs, inputs;
  for (const std::string& name : names)
    for (const char* folder : {"/images/", "/masks/"}) outputs.push_back(out + folder + name + ".png");
  for (const data::Pair& pair : from.pairs) inputs.insert(inputs.end(), {pair.image, pair.mask});
  cris::check_place(out);
  cris::check_files(outputs, inputs);
}

int prepare(const DataOptions& o) {
  const data::Dataset dataset = data::open_dataset(o.folder);
  std::vector<std::string> names;
  for (const data::Pair& pair : dataset.pairs) names.push_back(pair.name);
  check_set(o.out, names, dataset);
  const int64_t count = data::prepare_dataset(dataset, o.out, o.rows(), o.columns(), o.threads);
  fmt::print("{}: {} pairs of {} x {} pixels\n", o.out, count, o.columns(), o.rows());
  return kOk;
}

int synthesize(const DataOptions& o) {
  check_set(o.folder, data::synthetic_names(o.count), {});
  data::write_synthetic_set(o.folder, o.count, o.rows(), o.columns(), o.seed, o.threads);
  fmt::print("{}: {} pairs of {} x {} pixels, seed {}\n", o.folder, o.count, o.columns(), o.rows(), o.seed);
  return kOk;
}

void add_size(CLI::App& app, DataOptions& o, int least = 1) {
  app.add_option("--size", o.size, "Height and width in pixels")
      ->check(CLI::Range(least, 1 << 15))
      ->capture_default_str();
  app.add_option("--height", o.height, "Height where it differs")->check(CLI::Range(least, 1 << 15));
  app.add_option("--width", o.width, "Width where it differs")->check(CLI::Range(least, 1 << 15));
}

void add_threads(CLI::App& app, DataOptions& o) {
  app.add_option("--threads", o.threads, "Threads; 0: all")->check(CLI::Range(0, 1024))->capture_default_str();
}

Run setup_data(CLI::App& app) {
  const auto o = std::make_shared<DataOptions>();
  app.require_subcommand(1);
  const CLI::Range kSeeds(int64_t(0), std::numeric_limits<int64_t>::max());
  const char* kFolder = "A folder with images/ and masks/ inside";

  CLI::App* checking =
      app.add_subcommand("check", "Reads every pair and reports sizes, mask values, duplicates, bad files");
  checking->add_option("DIR", o->folder, kFolder)->required();
  checking->add_option("--split", o->split_file, "A split file: also reports near-duplicates across it");
  add_threads(*checking, *o);

  CLI::App* splitting = app.add_subcommand("split", "Writes a seeded split with its SHA-256");
  splitting->add_option("DIR", o->folder, kFolder)->required();
  splitting->add_option("-o,--out", o->out, "The split file to write")->capture_default_str();
  splitting->add_option("--seed", o->seed, "Seed of the shuffle")->check(kSeeds)->capture_default_str();
  splitting->add_option("--validation", o->shares.validation, "Share that validates")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  splitting->add_option("--test", o->shares.test, "Share that tests")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  splitting->add_flag("--cvc-sequences", o->by_sequence,
                      "CVC-ClinicDB by whole video sequences (not the paper's protocol)");

  CLI::App* preparing = app.add_subcommand("prepare", "Writes every pair at one size, as PNG");
  preparing->add_option("DIR", o->folder, kFolder)->required();
  preparing->add_option("-o,--out", o->out, "Where to write")->required();
  add_size(*preparing, *o);
  add_threads(*preparing, *o);

  CLI::App* making = app.add_subcommand("synthesize", "Makes a procedural colonoscopy set");
  making->add_option("OUT", o->folder, "Where to write")->required();
  making->add_option("--count", o->count, "Number of pairs")->check(CLI::Range(1, 1000000))->capture_default_str();
  making->add_option("--seed", o->seed, "Seed of the pictures")->check(kSeeds)->capture_default_str();
  add_size(*making, *o, 32);
  add_threads(*making, *o);

  return [=] {
    try {
      if (checking->parsed()) return check(*o);
      outlive_reader();
      if (splitting->parsed()) return split(*o);
      if (preparing->parsed()) return prepare(*o);
      return synthesize(*o);
    } catch (const data::FormatError& e) {
      throw Failure(kData, e.what());
    }
  };
}

const Command data_command(10, "data", "check, split, shrink and make data sets", setup_data);

}  // namespace

}  // namespace tools
