/// cris data: checks, splits, shrinks and makes data sets.
#include <fmt/format.h>

#include <filesystem>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>

#include "cris/run/outputs.h"
#include "cris/run/progress.h"
#include "data/files.h"
#include "data/format_error.h"
#include "data/integrity.h"
#include "data/synthetic.h"
#include "tools/commands/command.h"
#include "tools/commands/interrupt.h"
#include "tools/commands/next_step.h"

namespace tools {

namespace {

struct DataOptions {
  std::string folder, split_file, split_out = "split.txt", out, masks, suffix, values;
  int64_t size = 256, count = 200;
  std::optional<int64_t> height, width, folds;
  uint64_t seed = 0;
  int threads = 0;
  bool by_sequence = false, json = false;
  data::SplitShares shares;
  data::NameLists lists;

  int64_t rows() const { return height.value_or(size); }
  int64_t columns() const { return width.value_or(size); }
  data::MaskRule rule() const {
    return {.folder = masks, .suffix = suffix, .values = data::mask_values(values, "--mask-values")};
  }
};

using Json = nlohmann::ordered_json;

Json json_of(const std::vector<data::NearDuplicate>& pairs) {
  Json alike = Json::array();
  for (const data::NearDuplicate& n : pairs) alike.push_back({{"a", n.a}, {"b", n.b}, {"similarity", n.similarity}});
  return alike;
}

Json json_of(const data::IntegrityReport& r) {
  Json sizes = Json::array();
  for (const auto& [size, pairs] : r.sizes)
    sizes.push_back({{"width", size.first}, {"height", size.second}, {"pairs", pairs}});
  return {{"folder", r.folder},
          {"pairs", r.pairs},
          {"usable", r.usable()},
          {"refused", r.refused},
          {"passed_over", r.passed_over},
          {"remarks", r.remarks},
          {"sizes", sizes},
          {"mask_values", r.mask_values},
          {"binary_masks", r.binary_masks},
          {"ringing_masks", r.ringing_masks},
          {"soft_masks", r.soft_masks},
          {"empty_masks", r.empty_masks},
          {"full_masks", r.full_masks},
          {"polyp_area",
           {{"least", r.least_coverage},
            {"median", r.median_coverage},
            {"mean", r.mean_coverage},
            {"most", r.most_coverage}}},
          {"equal_images", r.duplicates},
          {"near_duplicates", json_of(r.near_duplicates)},
          {"fingerprint", r.fingerprint}};
}

int check(const DataOptions& o) {
  const data::MaskRule rule = o.rule();
  std::optional<data::Split> split;
  if (!o.split_file.empty()) {
    split = data::read_split(o.split_file);
    const std::vector<std::string> there = data::list_dataset(o.folder, rule).dataset.names();  // sorted
    std::vector<std::string> missing;
    for (const auto* list : {&split->training, &split->validation, &split->test})
      for (const std::string& name : *list)
        if (!std::ranges::binary_search(there, name)) missing.push_back(name);
    data::require_data(missing.empty(), "{}: {} of its {} names, such as \"{}\", are not in {}; is it another set's?",
                       o.split_file, missing.size(),
                       split->training.size() + split->validation.size() + split->test.size(),
                       missing.empty() ? "" : missing.front(), o.folder);
  }
  cris::ConsoleProgress progress(stderr);
  const data::IntegrityReport report = data::check_dataset(
      o.folder, o.threads, rule, [&](int64_t done, int64_t all) { progress.count("checking", done, all); });
  progress.end();
  const auto crossing = split ? data::leaks(report, *split) : std::vector<data::NearDuplicate>{};
  if (o.json) {
    Json json = json_of(report);
    if (split) json["leaks"] = json_of(crossing);
    fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
    return report.usable() ? kOk : kData;
  }
  fmt::print("{}", data::report_text(report));
  if (split) {
    fmt::print("{:<18}{} pairs of equal or nearly equal images have one side in training, the other held out\n",
               "leaks", crossing.size());
    for (size_t i = 0; i < crossing.size() && i < 10; ++i)
      fmt::print("  {} ~ {} ({:.4f})\n", crossing[i].a, crossing[i].b, crossing[i].similarity);
  }
  return report.usable() ? kOk : kData;
}

/// "dir/split.txt" -> "dir/split-2.txt"
std::string numbered(const std::string& path, size_t number) {
  const std::filesystem::path p = path;
  return (p.parent_path() / fmt::format("{}-{}{}", p.stem().string(), number, p.extension().string())).string();
}

int split(const DataOptions& o) {
  if (!(o.shares.validation + o.shares.test < 1))
    throw Failure(kUsage, "data split: --validation and --test must together be below 1, to leave images to train on");
  const bool listed = !o.lists.training.empty();
  if (!listed && !(o.lists.validation + o.lists.test).empty())
    throw Failure(kUsage, "data split: --validation-list and --test-list need --train-list");
  if (listed && (o.folds || o.by_sequence))
    throw Failure(kUsage, "data split: lists of names are a split already; leave --folds and --cvc-sequences out");
  const std::vector<std::string> names = data::open_dataset(o.folder, o.rule()).names();
  std::vector<int> groups(names.size());
  if (o.by_sequence)
    groups = data::cvc_clinicdb_groups(names);
  else
    std::iota(groups.begin(), groups.end(), 0);
  std::vector<data::Split> splits;
  if (o.folds)
    splits = data::fold_splits(names, groups, o.seed, *o.folds);
  else if (listed)
    splits = {data::listed_split(names, o.lists, o.seed, o.shares.validation)};
  else
    splits = {o.by_sequence ? data::grouped_split(names, groups, o.seed, o.shares)
                            : data::random_split(names, o.seed, o.shares)};
  std::vector<std::string> paths;
  for (size_t i = 0; i < splits.size(); ++i) paths.push_back(o.folds ? numbered(o.split_out, i + 1) : o.split_out);
  cris::check_outputs(paths);
  if (const std::string folder = std::filesystem::path(o.split_out).parent_path(); !folder.empty())
    data::create_folder(folder);
  for (size_t i = 0; i < splits.size(); ++i) {
    const data::Split& split = splits[i];
    data::write_split(paths[i], split);
    fmt::print("{}: training {}, validation {}, test {} ({})\nsha256 {}\n", paths[i], split.training.size(),
               split.validation.size(), split.test.size(), split.protocol, data::split_hash(split));
  }
  std::string rule;
  for (const auto& [flag, value] :
       {std::pair{"--masks", o.masks}, {"--mask-suffix", o.suffix}, {"--mask-values", o.values}})
    if (!value.empty()) rule += fmt::format(" {} {}", flag, cris::shell_word(value));
  next_step("cris train --data {}{} --set data.split={} --base 8 --size 64 --epochs 4", cris::shell_word(o.folder),
            rule, cris::shell_word(paths.front()));
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
  const data::Dataset dataset = data::open_dataset(o.folder, o.rule());
  check_set(o.out, dataset.names(), dataset);
  const int64_t count = data::prepare_dataset(dataset, o.out, o.rows(), o.columns(), o.threads);
  fmt::print("{}: {} pairs of {} x {} pixels\n", o.out, count, o.columns(), o.rows());
  next_step("cris train --data {}{}", cris::shell_word(o.out),
            o.rows() == o.columns() ? fmt::format(" --size {}", o.rows()) : "");
  return kOk;
}

int synthesize(const DataOptions& o) {
  check_set(o.folder, data::synthetic_names(o.count), {});
  data::write_synthetic_set(o.folder, o.count, o.rows(), o.columns(), o.seed, o.threads);
  fmt::print("{}: {} pairs of {} x {} pixels, seed {}\n", o.folder, o.count, o.columns(), o.rows(), o.seed);
  next_step("cris train --data {} --base 8 --size 64 --epochs 4", cris::shell_word(o.folder));
  return kOk;
}

void add_size(CLI::App& app, DataOptions& o, int least = 1) {
  app.add_option("--size", o.size, "height and width in pixels")->check(CLI::Range(least, 1 << 15));
  app.add_option("--height", o.height, "height where it differs")->check(CLI::Range(least, 1 << 15));
  app.add_option("--width", o.width, "width where it differs")->check(CLI::Range(least, 1 << 15));
}

void add_threads(CLI::App& app, DataOptions& o) {
  app.add_option("--threads", o.threads, "threads; 0: all")->check(CLI::Range(0, 1024));
}

/// The data set to read, and where its masks are.
void add_dataset(CLI::App& app, DataOptions& o) {
  app.add_option("DIR", o.folder, "a folder with images/ and masks/ inside")->required();
  app.add_option("--masks", o.masks, "folder of the masks, if not masks/; then images/ may be DIR itself")
      ->type_name("DIR");
  app.add_option("--mask-suffix", o.suffix, "what follows an image's base name in its mask's: _mask");
  app.add_option("--mask-values", o.values, "values of background and polyp in masks, if not black and white: 0,1")
      ->type_name("A,B");
}

Run setup_data(CLI::App& app) {
  const auto o = std::make_shared<DataOptions>();
  app.require_subcommand(1);
  const CLI::Range kSeeds(int64_t(0), std::numeric_limits<int64_t>::max());

  CLI::App* checking = app.add_subcommand("check", "read every pair: sizes, mask values, duplicates, bad files");
  add_dataset(*checking, *o);
  checking->add_option("--split", o->split_file, "a split file: also near-duplicates across it")->type_name("FILE");
  checking->add_flag("--json", o->json, "print JSON, not a table");
  add_threads(*checking, *o);
  add_example(*checking, "data check data/kvasir-seg");
  add_example(*checking, "data check isic --masks labels --mask-suffix _segmentation");

  CLI::App* splitting = app.add_subcommand("split", "write a split, or one a fold, with its SHA-256");
  add_dataset(*splitting, *o);
  splitting->add_option("-o,--out", o->split_out, "the split file to write; of folds NAME-1, NAME-2, ...")
      ->type_name("FILE");
  splitting->add_option("--seed", o->seed, "seed of the shuffle")->check(kSeeds);
  splitting->add_option("--validation", o->shares.validation, "share that validates")->check(from_0_to_1());
  splitting->add_option("--test", o->shares.test, "share that tests")->check(from_0_to_1());
  splitting->add_option("--folds", o->folds, "as many splits for cross-validation; each image is tested once")
      ->check(CLI::Range(3, 1000));
  splitting->add_flag("--cvc-sequences", o->by_sequence,
                      "CVC-ClinicDB by whole video sequences (not the paper's protocol)");
  splitting
      ->add_option("--train-list", o->lists.training, "names that train, one a line, as PraNet's and Medico's lists")
      ->type_name("FILE");
  splitting->add_option("--validation-list", o->lists.validation, "names that validate; default: a share of those")
      ->type_name("FILE");
  splitting->add_option("--test-list", o->lists.test, "names that test; default: all that are in no list")
      ->type_name("FILE");
  add_example(*splitting, "data split data/kvasir-seg --seed 1 -o split.txt");
  add_example(*splitting, "data split data/kvasir-seg --folds 5 -o folds/split.txt");
  add_example(*splitting, "data split data/kvasir-seg --train-list train.txt --test-list test.txt");

  CLI::App* preparing = app.add_subcommand("prepare", "write every pair at one size, as PNG, masks black and white");
  add_dataset(*preparing, *o);
  preparing->add_option("-o,--out", o->out, "where to write")->type_name("DIR")->required();
  add_size(*preparing, *o);
  add_threads(*preparing, *o);
  add_example(*preparing, "data prepare data/kvasir-seg --size 256 -o kvasir-256");

  CLI::App* making = app.add_subcommand("synthesize", "make a procedural colonoscopy set");
  making->add_option("OUT", o->folder, "where to write")->required();
  making->add_option("--count", o->count, "number of pairs")->check(CLI::Range(1, 1000000));
  making->add_option("--seed", o->seed, "seed of the pictures")->check(kSeeds);
  add_size(*making, *o, 32);
  add_threads(*making, *o);
  add_example(*making, "data synthesize data --count 60 --size 64");

  return [=] {
    try {
      if (checking->parsed()) return check(*o);
      outlive_reader();
      if (splitting->parsed()) return split(*o);
      if (preparing->parsed()) return prepare(*o);
      return synthesize(*o);
    } catch (const data::FormatError& e) {
      throw Failure(kData, "{}", e.what());
    }
  };
}

const Command data_command(10, "data", "check, split, prepare and make data sets", setup_data);

}  // namespace

}  // namespace tools
