/// cris score: the measures of masks or probability maps of any program.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>

#include "cris/report/score_page.h"
#include "cris/run/outputs.h"
#include "data/files.h"
#include "data/format_error.h"
#include "data/map.h"
#include "tools/commands/command.h"
#include "tools/commands/interrupt.h"
#include "tools/commands/many_pictures.h"

namespace fs = std::filesystem;

namespace tools {

namespace {

/// Base name -> path: of a folder's maps, of its masks/ or probability/ where it has one, or one file.
std::map<std::string, std::string> maps_in(const std::string& path, const char* inner) {
  data::require_data(fs::exists(path), "{}: no such file or folder", path);
  if (!fs::is_directory(path)) return {{data::base_name(fs::path(path).filename().string()), path}};
  const std::string folder = fs::is_directory(path + inner) ? path + inner : path;
  auto maps = data::files_by_name(folder, data::has_map_extension);
  data::require_data(!maps.empty(), "{}: no map in it (png, jpg, bmp, tiff, npy)", folder);
  return maps;
}

Run setup_score(CLI::App& app) {
  struct Options {
    std::string predictions, truth, out;
    double threshold = 0.5;
    bool json = false, skip_bad = false;
  };
  auto o = std::make_shared<Options>();
  app.add_option("PREDICTIONS", o->predictions,
                 "folder of masks or probability maps (or one file): pictures of 8 or 16 bits, or .npy")
      ->required();
  app.add_option("TRUTH", o->truth, "folder of true masks of the same names and sizes, or a data set with masks/")
      ->required();
  app.add_option("--threshold", o->threshold, "a pixel is polyp from this value on, 255 or 65535 being 1")
      ->check(from_0_to_1());
  app.add_option("-o,--out", o->out, "folder for score.json, per_image.csv, precision_recall.csv and score.html")
      ->type_name("DIR");
  app.add_flag("--json", o->json, "print JSON, not a table");
  add_skip_bad(app, o->skip_bad);
  add_example(app, "score out/probability data/kvasir-seg -o scores");
  return [o] {
    auto predictions = maps_in(o->predictions, "/probability");
    const auto truth = maps_in(o->truth, "/masks");
    if (!fs::is_directory(o->predictions) && !fs::is_directory(o->truth))  // two files need not share a name
      predictions = {{truth.begin()->first, predictions.begin()->second}};
    for (const auto& [name, path] : truth)
      data::require_data(predictions.contains(name), "{}: no map of that name in {}; predict it, or remove the mask",
                         path, o->predictions);
    for (const auto& [name, path] : predictions)
      data::require_data(truth.contains(name), "{}: no mask of that name in {}; remove the map, or add its mask", path,
                         o->truth);
    if (!o->out.empty()) {
      cris::check_place(o->out);
      data::require_data(cris::takes_scores(o->out), "{} holds files that cris score did not make; name a new folder",
                         o->out);
    }
    outlive_reader();
    cris::MeasureSet measures(o->threshold);
    cris::ConsoleProgress progress(stderr);
    const ManyPictures work{
        .what = "scoring", .out = "", .count = int64_t(truth.size()), .skip_bad = o->skip_bad, .progress = &progress};
    struct Item {
      data::Map map;
      cris::Measured measured;
    };
    std::vector<Item> items(size_t(work.ahead));
    std::atomic<int64_t> photographs = 0, faint = 0;
    const std::vector<std::pair<std::string, std::string>> masks(truth.begin(), truth.end());
    data::Pipeline steps;
    steps.read = [&](int64_t i) {
      const auto& [name, path] = masks[size_t(i)];
      const std::string& predicted = predictions.at(name);
      bool photograph = false;
      const data::Map mask = data::read_mask_map(path, &photograph);
      photographs += photograph;
      data::Map map = data::read_map(predicted);
      data::require_data(map.height == mask.height && map.width == mask.width,
                         "{} has {} x {} pixels and {} has {} x {}; resize the map to its mask", predicted, map.width,
                         map.height, path, mask.width, mask.height);
      const float highest = *std::ranges::max_element(map.values);
      faint += highest > 0 && highest <= 1.0f / 255 && std::ranges::max(mask.values) > 0;
      cris::Measured m =
          cris::measure(name, map.values.data(), mask.values.data(), map.height, map.width, o->threshold);
      items[size_t(i % work.ahead)] = {std::move(map), std::move(m)};
    };
    steps.compute = [&](int64_t i) {
      const Item& item = items[size_t(i % work.ahead)];
      measures.add(item.measured, item.map.values.data());
    };
    steps.encode = steps.write = [](int64_t) {};
    const PicturesDone done = through_pictures(work, steps);
    if (faint > 0)
      progress.message(
          fmt::format("warning: {} of {} maps without a value above 1 of 255, where their masks show a polyp: "
                      "a mask is saved as 0 and 255",
                      faint.load(), truth.size()));
    if (photographs > 0)
      progress.message(fmt::format("warning: photographs instead of masks: {} of {}; is {} the right folder?",
                                   photographs.load(), truth.size(), o->truth));
    if (done.stopped || done.written == 0) return done.exit_code(work);
    if (!o->out.empty()) cris::write_scores(measures, o->out, fmt::format("{} against {}", o->predictions, o->truth));
    if (o->json)
      fmt::print("{}\n", measures.json().dump());
    else
      fmt::print("{}{}", cris::measures_text(measures), o->out.empty() ? "" : "\n" + o->out + "/score.html\n");
    return done.exit_code(work);
  };
}

const Command score(45, "score", "the measures of masks or maps of any program", setup_score);

}  // namespace

}  // namespace tools
