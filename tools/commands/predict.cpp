/// cris predict: masks, probability maps and overlays of images or folders, at each image's own size.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <list>
#include <map>

#include "cris/evaluate.h"
#include "cris/nonfinite.h"
#include "cris/report/evaluation.h"
#include "cris/report/overlay.h"
#include "cris/run/memory_plan.h"
#include "cris/run/outputs.h"
#include "cris/run/run_directory.h"
#include "data/files.h"
#include "data/format_error.h"
#include "data/parallel.h"
#include "tensor/machine/atomic_file.h"
#include "tensor/machine/folder_lock.h"
#include "tools/commands/command.h"
#include "tools/commands/interrupt.h"
#include "tools/commands/write_results.h"

namespace fs = std::filesystem;

namespace tools {

namespace {

struct PredictOptions {
  std::string run, out, checkpoint = "best", device, masks;
  std::vector<std::string> in, passed_over;
  bool overlay = false;
  double threshold = -1;
  int64_t threads = 0;
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

Files mask_files(const std::string& folder) {
  Files masks;
  if (!folder.empty())
    for (const std::string& file : data::list_files(folder))
      if (data::has_image_extension(file)) masks.emplace(data::base_name(file), folder + "/" + file);
  return masks;
}

/// The image, and for overlays its mask where there is one (else a mask of no pixels).
data::Sample read_input(const PredictOptions& o, const Files& masks, const std::string& name, const std::string& path) {
  const auto mask = masks.find(name);
  if (o.overlay && mask != masks.end()) return data::read_pair({name, path, mask->second});
  return {data::read_image(path, 3), {}};
}

int predict(PredictOptions& o, const cris::Config& config) {
  const double threshold = o.threshold >= 0 ? o.threshold : cris::chosen_threshold(o.run);
  const Files files = input_files(o), masks = mask_files(o.masks);
  std::vector<std::string> folders{o.out + "/masks", o.out + "/probability"}, outputs, read;
  if (o.overlay) folders.push_back(o.out + "/overlays");
  for (const auto& [name, path] : files)
    for (const std::string& folder : folders) outputs.push_back(folder + "/" + name + ".png");
  for (const Files* some : {&files, &masks})
    for (const auto& [name, path] : *some) read.push_back(path);
  cris::check_outputs(outputs, read);
  const auto model = cris::load_model(o.run, config, o.checkpoint);
  model->fold_norms();
  // All inputs are read before the first result is written: a bad one leaves no half of an answer.
  const std::vector<std::pair<std::string, std::string>> inputs(files.begin(), files.end());
  data::for_each_index(int64_t(inputs.size()), int(config.run.threads),
                       [&](int64_t i) { read_input(o, masks, inputs[size_t(i)].first, inputs[size_t(i)].second); });
  const std::list<tensor::FolderLock> locks(folders.begin(), folders.end());
  const int64_t size = config.data.size;
  int64_t done = 0;
  for (const auto& [name, path] : files) {
    const auto [image, truth] = read_input(o, masks, name, path);
    const data::Image small = data::resize(image, size, size);
    std::vector<float> values(size_t(size * size * 3));
    data::to_unit(small, values.data());
    const auto x = tensor::Tensor::from(values, {1, size, size, 3}, tensor::Device::cpu).to(config.run.device);
    const auto p =
        tensor::resize(cris::probabilities(*model, x), image.height, image.width, tensor::ResizeMode::bilinear_centers);
    const float* map = p.data<float>();
    if (!std::all_of(map, map + p.size(), [](float v) { return v >= 0 && v <= 1; }))
      throw cris::NonFiniteError(
          fmt::format("{}: its probability map is not finite; the checkpoint is of no use", path));
    const data::Image mask = cris::mask_image(map, image.height, image.width, threshold);
    data::Pictures results{
        {fmt::format("{}/masks/{}.png", o.out, name), mask},
        {fmt::format("{}/probability/{}.png", o.out, name), cris::probability_image(map, image.height, image.width)}};
    if (o.overlay)
      results.emplace_back(fmt::format("{}/overlays/{}.png", o.out, name), cris::overlay(image, mask, truth));
    write_results(results, done++, int64_t(files.size()), o.out);
  }
  fmt::print("{} images at threshold {:.2f}: {}/masks, {}/probability{}\n", files.size(), threshold, o.out, o.out,
             o.overlay ? ", " + o.out + "/overlays" : "");
  if (!o.passed_over.empty())
    fmt::print("passed over: {} files that are not named as PNG, JPEG, BMP or TIFF, such as {}\n", o.passed_over.size(),
               o.passed_over.front());
  return kOk;
}

Run setup_predict(CLI::App& app) {
  auto o = std::make_shared<PredictOptions>();
  app.add_option("RUN", o->run, "run directory")->required();
  app.add_option("IN", o->in, "images, folders of images, or data sets (images/ and masks/)")
      ->required()
      ->expected(1, -1);
  app.add_option("-o,--out", o->out, "folder for masks/, probability/ and overlays/")->required();
  app.add_flag("--overlay", o->overlay, "draw overlays: agreement green, prediction only yellow, mask only blue");
  app.add_option("--masks", o->masks, "folder of true masks for the overlays");
  app.add_option("--threshold", o->threshold, "default: the one chosen on the training set")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--checkpoint", o->checkpoint, "best or last")
      ->check(CLI::IsMember({"best", "last"}))
      ->capture_default_str();
  app.add_option("--device", o->device, "cpu, reference or cuda; default: the run's");
  app.add_option("--threads", o->threads, "of the cpu device");
  return [o] {
    cris::Config config = cris::config_of_run(o->run, {.device = o->device, .threads = o->threads});
    cris::apply_run_settings(config);
    config.train.batch = 1;
    outlive_reader();
    if (data::has_image_extension(o->out) && !fs::is_directory(o->out))
      throw Failure(kUsage,
                    fmt::format("-o {}: predict writes a folder with masks/ and probability/; name a folder", o->out));
    return cris::with_memory_advice(config, cris::Purpose::predict, [&] { return predict(*o, config); });
  };
}

const Command command(50, "predict", "segment images or folders", setup_predict);

}  // namespace

}  // namespace tools
