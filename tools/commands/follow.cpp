/// cris follow: one image from the file to the mask and back through the gradients, op by op.
#include <fmt/format.h>

#include <filesystem>

#include "autograd/trace.h"
#include "cris/report/evaluation.h"
#include "cris/run/run_directory.h"
#include "cris/training_step.h"
#include "data/dataset.h"
#include "data/files.h"
#include "nn/dropout.h"
#include "tools/commands/config_options.h"

namespace tools {

namespace {

/// DIR/masks/STEM.* of DIR/images/STEM.*; empty where there is none.
std::string mask_of(const std::string& image, const std::string& stem) {
  const std::filesystem::path folder = std::filesystem::path(image).parent_path().parent_path() / "masks";
  if (std::filesystem::is_directory(folder))
    for (const std::string& file : data::list_files(folder))
      if (data::base_name(file) == stem && data::has_image_extension(file)) return folder / file;
  return "";
}

Run setup_follow(CLI::App& app) {
  struct Options {
    explicit Options(CLI::App& app) : config(app) {}
    ConfigOptions config;
    std::string image, run;
  };
  auto o = std::make_shared<Options>(app);
  app.add_option("IMAGE", o->image,
                 "an image file; DIR/images/NAME.* is followed against DIR/masks/NAME.* where there is one")
      ->required();
  app.add_option("--run", o->run, "the trained model of this run; default: random weights of the configuration");
  return [o] {
    const cris::Config config = o->config.config(o->run.empty() ? cris::Config() : cris::config_of_run(o->run));
    cris::apply_run_settings(config);
    const auto model = o->run.empty() ? cris::make_model(config) : cris::load_model(o->run, config);
    const int64_t size = config.data.size;
    const std::string stem = data::base_name(std::filesystem::path(o->image).filename());
    const std::string mask_path = mask_of(o->image, stem);
    // Without a mask, one without polyp.
    data::Sample sample{data::read_image(o->image), {}};
    const int64_t height = sample.image.height, width = sample.image.width;
    if (mask_path.empty())
      sample.mask = data::Image(height, width, 1);
    else
      sample = data::read_pair({stem, o->image, mask_path});
    sample = data::resize(sample, size, size);
    fmt::print("{}: {} x {} pixels, resized to {} x {}\n", o->image, width, height, size, size);
    if (!mask_path.empty()) fmt::print("mask: {}\n", mask_path);
    std::vector<float> values(size_t(size * size * 3)), truth(size_t(size * size));
    data::to_unit(sample.image, values.data());
    data::to_binary(sample.mask, truth.data());
    const auto device = config.run.device;
    const auto x = tensor::Tensor::from(values, {1, size, size, 3}, tensor::Device::cpu).to(device);
    const auto mask = tensor::Tensor::from(truth, {1, size, size, 1}, tensor::Device::cpu).to(device);
    model->train();
    nn::set_random_step(*model, uint64_t(config.train.seed), 0);
    const autograd::Trace trace;
    const autograd::Variable loss = cris::batch_loss(*model, cris::Loss::output_bce, {}, x, mask);
    autograd::backward(loss);
    fmt::print("{}\nloss (binary cross entropy of the output): {:.6f}\n", trace.to_string(), loss.value().item());
    return int(kOk);
  };
}

const Command follow(80, "follow", "one image through the network and back, op by op", setup_follow);

}  // namespace

}  // namespace tools
