/// cris eval: every metric and convention of a run on one part of its data.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "cris/report/evaluation.h"
#include "cris/run/memory_plan.h"
#include "cris/run/outputs.h"
#include "cris/run/run_directory.h"
#include "data/files.h"
#include "data/format_error.h"
#include "tensor/machine/atomic_file.h"
#include "tools/commands/command.h"
#include "tools/commands/config_options.h"
#include "tools/commands/interrupt.h"

namespace tools {

namespace {

/// A folder that is named by -o is empty, new, or holds an evaluation.
void check_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  cris::check_place(folder);
  std::error_code unknown;
  const bool evaluation = cris::has_keys(folder + "/evaluation.json", {"part", "chosen_on_training_set"}) &&
                          !fs::exists(folder + "/config.resolved.toml", unknown);
  data::require_data(!fs::exists(folder) || evaluation || fs::is_empty(folder, unknown),
                     "{} holds files that cris eval did not make; name a new folder", folder);
}

/// Whether an image of the run's data, by the hash of its file, is among `other`.
bool shares_images(const std::string& run, const cris::ExperimentData& other) {
  const auto hashes = [](const std::string& lines) {
    std::set<std::string> found;
    for (const std::string& line : data::lines_of(lines))
      if (line.find("  images/") != std::string::npos) found.insert(line.substr(0, 64));
    return found;
  };
  const auto trained = hashes(tensor::read_file(run + "/data.sha256")), now = hashes(other.files);
  return std::any_of(now.begin(), now.end(), [&](const std::string& h) { return trained.contains(h); });
}

Run setup_eval(CLI::App& app) {
  struct Options {
    std::string run, on = "test", checkpoint = "best", data, device, out, size, maps, masks, mask_suffix, mask_values;
    bool json = false;
    int64_t overlays = 20;
    std::optional<int64_t> threads, batch;
  };
  auto o = std::make_shared<Options>();
  app.add_option("RUN", o->run, "run directory")->required();
  app.add_option("--on", o->on, "the part of the data; all: every pair of --data, which the run never saw")
      ->check(CLI::IsMember({"train", "validation", "test", "all"}));
  add_checkpoint(app, o->checkpoint);
  app.add_option("-o,--out", o->out, "folder to write; default RUN/eval-ON-CHECKPOINT")->type_name("DIR");
  app.add_option("--data", o->data, "the data, if it moved since the training; with --on all another data set")
      ->type_name("DIR");
  app.add_option("--masks", o->masks, "with --on all: folder of that set's masks, if not masks/")->type_name("DIR");
  app.add_option("--mask-suffix", o->mask_suffix, "with --on all: what follows an image's base name in its mask's");
  app.add_option("--mask-values", o->mask_values, "with --on all: values of background and polyp in its masks: 0,1");
  add_device(app, o->device, o->threads);
  app.add_option("--batch", o->batch, "images at once, where memory is short; default: the run's")
      ->check(CLI::Range(1, 100000));
  app.add_option("--overlays", o->overlays,
                 "how many images to draw: the worst, around the median, the best, at random")
      ->check(CLI::Range(0, 1000000));
  app.add_option("--score-size", o->size, "the size at which maps are scored; default: the run's")
      ->type_name("TEXT:{network,picture}");
  app.add_option("--save-maps", o->maps, "folder for each scored map and mask as f32, NAME.npy and NAME_mask.npy")
      ->type_name("DIR");
  app.add_flag("--json", o->json, "one JSON line at the threshold chosen on the training set");
  add_example(app, "eval runs/kvasir");
  add_example(app, "eval runs/kvasir --on all --data data/cvc-clinicdb --json");
  return [o] {
    cris::Config config = cris::config_of_run(o->run, {.data = o->data, .device = o->device, .threads = o->threads});
    cris::apply_run_settings(config);
    const bool whole = o->on == "all";
    if (whole && o->data.empty())
      throw Failure(kUsage, "--on all scores another data set than the training's: name it by --data DIR");
    if (!whole && !(o->masks + o->mask_suffix + o->mask_values).empty())
      throw Failure(kUsage, "--masks, --mask-suffix and --mask-values are for --on all: the run knows its own masks");
    // Another set has rules of its own.
    if (whole) {
      config.data.masks = o->masks;
      config.data.mask_suffix = o->mask_suffix;
      config.data.mask_values = o->mask_values;
    }
    config.data.split = o->run + "/split.txt";  // holds the very names that were used
    config.train.fast_dev_run = false;
    if (!o->size.empty()) cris::set_config(config, "eval.size", o->size, "--score-size");
    if (o->batch) config.train.batch = *o->batch;
    // A folder of its own: the run's files stay as its SHA256SUMS knows them.
    const std::string folder = o->out.empty() ? o->run + "/eval-" + (whole ? cris::data_name(config) : o->on) + "-" +
                                                    o->checkpoint + (o->size.empty() ? "" : "-" + o->size)
                                              : o->out;
    outlive_reader();
    if (o->out.empty() && access(o->run.c_str(), W_OK) != 0)
      throw Failure(kData, "{} cannot be written: {}; name another folder by cris eval -o", o->run,
                    std::strerror(errno));
    if (!o->out.empty()) check_folder(folder);
    if (!o->maps.empty()) {
      cris::check_place(o->maps);
      data::require_data(!std::filesystem::exists(o->maps) || std::filesystem::is_empty(o->maps),
                         "{} is not empty; name a new folder for --save-maps", o->maps);
    }
    cris::ConsoleProgress progress(stderr);
    cris::EvaluationOptions options{.overlays = o->overlays, .maps = o->maps, .progress = &progress};
    const cris::Evaluation e = cris::with_memory_advice(config, cris::Purpose::predict, [&] {
      const auto model = cris::load_model(o->run, config, o->checkpoint);
      if (whole) {
        const cris::ExperimentData other = cris::open_whole(config);
        data::require_data(!shares_images(o->run, other),
                           "{}: images of it trained {}; score another data set, or --on test", config.data.dir,
                           o->run);
        options.threshold = cris::chosen_threshold(o->run);
        return cris::evaluate_run(*model, config, other, "all", folder, options);
      }
      const cris::ExperimentData data = cris::open_data(config);
      cris::require_same_data(o->run, config, data);
      return cris::evaluate_run(*model, config, data, o->on, folder, options);
    });
    if (o->json)
      fmt::print("{}\n", cris::summary_json(e.chosen).dump());
    else
      fmt::print("{}\nper image, curves, plots and overlays: {}\n", cris::summary_table(e), folder);
    return int(kOk);
  };
}

const Command eval(40, "eval", "every metric of a run, per image and pooled", setup_eval);

}  // namespace

}  // namespace tools
