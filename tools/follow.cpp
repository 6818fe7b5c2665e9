/// cris follow: one image from the file to the mask and back through the gradients, op by op.
#include <fmt/format.h>

#include <filesystem>

#include "autograd/trace.h"
#include "cris/results.h"
#include "cris/run.h"
#include "data/files.h"
#include "data/transform.h"
#include "nn/dropout.h"
#include "tools/config_options.h"

namespace tools {

namespace {

Run setup(CLI::App& app) {
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
    const data::Image image = data::read_image(o->image);
    const int64_t size = config.data.size;
    fmt::print("{}: {} x {} pixels, resized to {} x {}\n", o->image, image.width, image.height, size, size);
    std::vector<float> values(size_t(size * size * 3)), truth(size_t(size * size), 0.0f);
    data::to_unit(data::resize(image, size, size), values.data());
    const std::filesystem::path folder = std::filesystem::path(o->image).parent_path().parent_path() / "masks";
    const std::string stem = data::base_name(std::filesystem::path(o->image).filename());
    if (std::filesystem::is_directory(folder)) {
      for (const std::string& file : data::list_files(folder)) {
        if (data::base_name(file) != stem || !data::has_image_extension(file)) continue;
        const std::string path = folder / file;
        data::to_binary(data::resize(data::read_image(path, 1), size, size), truth.data());
        fmt::print("mask: {}\n", path);
      }
    }
    const auto device = cris::device_of(config);
    const auto x = tensor::Tensor::from(values, {1, size, size, 3}, tensor::Device::cpu).to(device);
    const auto mask = tensor::Tensor::from(truth, {1, size, size, 1}, tensor::Device::cpu).to(device);
    model->train();
    nn::set_random_step(*model, uint64_t(config.train.seed), 0);
    const autograd::Trace trace;
    const cris::Outputs out = (*model)(autograd::Variable(x));
    const autograd::Variable loss = cris::loss_value(cris::Loss::output_bce, {}, out.mask, out.output, mask);
    autograd::backward(loss);
    fmt::print("{}\nloss (binary cross entropy of the output): {:.6f}\n", trace.to_string(), loss.value().item());
    return int(kOk);
  };
}

const Command follow(80, "follow", "one image through the network and back, op by op", setup);

}  // namespace

}  // namespace tools
