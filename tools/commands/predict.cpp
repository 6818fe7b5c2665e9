/// cris predict: masks, probability maps and overlays of images or folders, at each image's own size.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>

#include "cris/evaluate.h"
#include "cris/measures/findings.h"
#include "cris/nonfinite.h"
#include "cris/report/evaluation.h"
#include "cris/report/overlay.h"
#include "cris/run/memory_plan.h"
#include "cris/run/outputs.h"
#include "cris/run/run_directory.h"
#include "data/files.h"
#include "data/format_error.h"
#include "data/map.h"
#include "tensor/machine/atomic_file.h"
#include "tools/commands/command.h"
#include "tools/commands/config_options.h"
#include "tools/commands/interrupt.h"
#include "tools/commands/many_pictures.h"

namespace fs = std::filesystem;

namespace tools {

namespace {

struct PredictOptions {
  std::string run, out, checkpoint = "best", device, masks;
  std::vector<std::string> in, passed_over;
  bool overlay = false, skip_bad = false, json = false, save_maps = false;
  std::optional<double> threshold;
  std::optional<int64_t> threads;
};

/// Base name -> path.
using Files = std::map<std::string, std::string>;

/// Files as they are, folders by their images, and DIR/images of a data set, whose masks are taken along.
Files input_files(PredictOptions& o) {
  Files files;
  const auto add = [&](const std::string& path) {
    const std::string name = data::base_name(fs::path(path).filename().string());
    if (const auto [at, fresh] = files.emplace(name, path); !fresh)
      throw data::FormatError(fmt::format("{} and {} would both be written as {}.png; predict them into two folders",
                                          at->second, path, name));
  };
  for (std::string in : o.in) {
    if (!fs::is_directory(in)) {
      if (!fs::exists(in)) throw data::FormatError(fmt::format("{}: no such file or folder", in));
      add(in);
      continue;
    }
    if (fs::is_directory(in + "/images")) {
      if (o.masks.empty() && fs::is_directory(in + "/masks")) o.masks = in + "/masks";
      in += "/images";
    }
    for (const std::string& file : data::list_files(in))
      data::has_image_extension(file) ? add(in + "/" + file) : o.passed_over.push_back(file);
  }
  if (files.empty()) throw data::FormatError(fmt::format("{}: no image in it (png, jpg, bmp, tiff)", o.in.at(0)));
  return files;
}

/// A picture under way.
struct Item {
  data::Sample sample;  ///< the image, and for overlays its mask where there is one
  std::vector<float> input;
  tensor::Tensor small, map;  ///< probabilities at the network's size, and at the picture's own
  double milliseconds = 0;
  cris::Findings findings;
  std::vector<std::pair<std::string, std::string>> pngs;  ///< path, content
};

class Prediction {
 public:
  Prediction(const PredictOptions& o, const cris::Config& config, const Files& files, Files masks,
             const std::vector<std::string>& folders)
      : o_(o),
        config_(config),
        masks_(std::move(masks)),
        inputs_(files.begin(), files.end()),
        threshold_(o.threshold ? *o.threshold : cris::chosen_threshold(o.run)),
        model_(cris::load_model(o.run, config, o.checkpoint)),
        locks_(lock_all(folders)),
        findings_(o.out, o.run, threshold_) {
    model_->fold_norms();
  }

  int run(cris::Progress& progress) {
    const ManyPictures work{.what = "predicting",
                            .out = o_.out,
                            .count = int64_t(inputs_.size()),
                            .skip_bad = o_.skip_bad,
                            .progress = &progress};
    items_.resize(size_t(work.ahead));
    const auto item = [&](int64_t i) -> Item& { return items_[size_t(i % work.ahead)]; };
    data::Pipeline steps;
    steps.read = [&](int64_t i) { read(item(i), inputs_[size_t(i)]); };
    steps.compute = [&](int64_t i) { compute(item(i), inputs_[size_t(i)].second); };
    steps.encode = [&](int64_t i) { encode(item(i), inputs_[size_t(i)]); };
    steps.write = [&](int64_t i) { write(item(i)); };
    const PicturesDone done = through_pictures(work, steps);
    findings_.commit();
    if (!o_.json && done.written == 0) fmt::print("0 images\n");
    if (!o_.json && done.written > 0)
      fmt::print("{} image{} at threshold {:.2f}: {}/masks, {}/probability{}\nareas, boxes, times: {}/findings.csv\n",
                 done.written, done.written == 1 ? "" : "s", threshold_, o_.out, o_.out,
                 o_.overlay ? ", " + o_.out + "/overlays" : "", o_.out);
    return done.exit_code(work);
  }

 private:
  using Input = std::pair<std::string, std::string>;
  const PredictOptions& o_;
  const cris::Config& config_;
  const Files masks_;
  const std::vector<Input> inputs_;
  const double threshold_;
  const std::unique_ptr<cris::Model> model_;
  const std::list<tensor::FolderLock> locks_;
  cris::FindingsFiles findings_;
  std::vector<Item> items_;

  void read(Item& item, const Input& input) const {
    const auto mask = masks_.find(input.first);
    if (o_.overlay && mask != masks_.end())
      item.sample = data::read_pair({input.first, input.second, mask->second});
    else
      item.sample = {data::read_image(input.second, 3), {}};
    const int64_t size = config_.data.size;
    item.input.resize(size_t(size * size * 3));
    data::to_unit(data::resize(item.sample.image, size, size), item.input.data());
  }
  void compute(Item& item, const std::string& path) {
    const auto begin = std::chrono::steady_clock::now();
    const int64_t size = config_.data.size;
    const data::Image& image = item.sample.image;
    const auto x = tensor::Tensor::from(item.input, {1, size, size, 3}, tensor::Device::cpu).to(config_.run.device);
    const tensor::Tensor p = item.small = cris::probabilities(*model_, x);
    if (!std::all_of(p.data<float>(), p.data<float>() + p.size(), [](float v) { return v >= 0 && v <= 1; }))
      throw cris::NonFiniteError(
          fmt::format("{}: its probability map is not finite; the checkpoint is of no use", path));
    item.map = tensor::resize(p, image.height, image.width, tensor::ResizeMode::bilinear_centers);
    item.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  }
  void encode(Item& item, const Input& input) const {
    const auto& [image, truth] = item.sample;
    const float* map = item.map.data<float>();
    const data::Image mask = cris::mask_image(map, image.height, image.width, threshold_);
    const auto add = [&](const char* folder, const data::Image& picture) {
      item.pngs.emplace_back(fmt::format("{}/{}/{}.png", o_.out, folder, input.first), data::encode_png(picture));
    };
    item.pngs.clear();
    add("masks", mask);
    add("probability", cris::probability_image(map, image.height, image.width));
    if (o_.overlay) add("overlays", cris::overlay(image, mask, truth));
    item.findings = cris::find_regions(mask, map);
    item.findings.name = input.first, item.findings.file = input.second;
    item.findings.milliseconds = item.milliseconds;
  }
  void write(Item& item) {
    data::write_together(item.pngs);
    if (o_.save_maps)
      data::write_npy(fmt::format("{}/maps/{}.npy", o_.out, item.findings.name), item.small.data<float>(),
                      config_.data.size, config_.data.size);
    findings_.add(item.findings);
    if (o_.json) {
      // A reader that leaves stops no work: what fputs cannot write is dropped.
      const auto line = cris::json_of(item.findings).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      std::fputs((line + "\n").c_str(), stdout);
      std::fflush(stdout);
    }
  }
};

int predict(PredictOptions& o, const cris::Config& config) {
  const Files files = input_files(o), masks = o.masks.empty() ? Files() : data::files_by_name(o.masks);
  std::vector<std::string> folders{o.out + "/masks", o.out + "/probability"}, outputs, read;
  if (o.overlay) folders.push_back(o.out + "/overlays");
  if (o.save_maps) {
    data::require_data(!fs::exists(o.out + "/maps") || fs::is_empty(o.out + "/maps"),
                       "{}/maps is not empty; move it away, or choose another -o", o.out);
  }
  for (const auto& [name, path] : files)
    for (const std::string& folder : folders) outputs.push_back(folder + "/" + name + ".png");
  for (const std::string& path : cris::FindingsFiles::paths(o.out)) outputs.push_back(path);
  for (const Files* some : {&files, &masks})
    for (const auto& [name, path] : *some) read.push_back(path);
  cris::check_outputs(outputs, read);
  cris::ConsoleProgress progress(stderr);
  if (!o.passed_over.empty())
    progress.message(fmt::format("passed over: {} file{} not named as PNG, JPEG, BMP or TIFF, such as {}",
                                 o.passed_over.size(), o.passed_over.size() == 1 ? "" : "s", o.passed_over.front()));
  if (!o.threshold && !fs::exists(o.run + "/evaluation.json"))
    progress.message(fmt::format("note: {} is not finished, so no threshold is chosen yet; 0.5 is used", o.run));
  if (o.save_maps) folders.push_back(o.out + "/maps");
  folders.insert(folders.begin(), o.out);
  return Prediction(o, config, files, masks, folders).run(progress);
}

Run setup_predict(CLI::App& app) {
  auto o = std::make_shared<PredictOptions>();
  app.add_option("RUN", o->run, "run directory")->required();
  app.add_option("IN", o->in, "images, folders of images, or data sets (images/ and masks/)")
      ->required()
      ->expected(1, -1);
  app.add_option("-o,--out", o->out, "folder for masks/, probability/, overlays/ and findings.csv")
      ->type_name("DIR")
      ->required();
  app.add_flag("--overlay", o->overlay, "draw overlays: agreement green, prediction only yellow, mask only blue");
  app.add_flag("--save-maps", o->save_maps, "also maps/NAME.npy: the network's own map, f32, at its own size");
  app.add_option("--masks", o->masks, "folder of true masks for the overlays")->type_name("DIR");
  add_skip_bad(app, o->skip_bad);
  app.add_flag("--json", o->json, "print a line of JSON a picture: what findings.json holds of it");
  app.add_option("--threshold", o->threshold, "default: the one chosen on the training set")->check(from_0_to_1());
  add_checkpoint(app, o->checkpoint);
  add_device(app, o->device, o->threads);
  add_example(app, "predict runs/kvasir frames -o out --overlay");
  add_example(app, "predict runs/kvasir frames -o out --skip-bad --json");
  return [o] {
    cris::Config config = cris::config_of_run(o->run, {.device = o->device, .threads = o->threads});
    cris::apply_run_settings(config);
    config.train.batch = 1;
    outlive_reader();
    if (data::has_image_extension(o->out) && !fs::is_directory(o->out))
      throw Failure(kUsage, "-o {}: predict writes a folder with masks/ and probability/; name a folder", o->out);
    return cris::with_memory_advice(config, cris::Purpose::predict, [&] { return predict(*o, config); });
  };
}

const Command predict_command(50, "predict", "segment images or folders", setup_predict);

}  // namespace

}  // namespace tools
