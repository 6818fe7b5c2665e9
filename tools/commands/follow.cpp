/// cris follow: one image from the file to the mask and back through the gradients, op by op.
#include <fmt/ranges.h>

#include <filesystem>
#include <map>
#include <set>

#include "autograd/trace.h"
#include "cris/report/evaluation.h"
#include "cris/run/outputs.h"
#include "cris/run/run_directory.h"
#include "cris/training_step.h"
#include "data/dataset.h"
#include "data/files.h"
#include "nn/dropout.h"
#include "nn/graph.h"
#include "tensor/machine/folder_lock.h"
#include "tools/commands/config_options.h"
#include "tools/commands/interrupt.h"
#include "tools/commands/next_step.h"

namespace tools {

namespace {

/// Where autograd records each op: CMake makes the list.
const std::map<std::string, std::string> kOpPlaces = {
#include "op_places.inc"
};

struct FollowOptions {
  explicit FollowOptions(CLI::App& app) : config(app, ConfigOptions::kRunning) {}
  ConfigOptions config;
  std::string image, run, out;
};

/// DIR/masks/STEM.* of DIR/images/STEM.*; empty where there is none.
std::string mask_of(const std::string& image, const std::string& stem) {
  const std::filesystem::path folder = std::filesystem::path(image).parent_path().parent_path() / "masks";
  if (std::filesystem::is_directory(folder))
    for (const std::string& file : data::list_files(folder))
      if (data::base_name(file) == stem && data::has_image_extension(file)) return folder / file;
  return "";
}

/// The values of an op's result.
struct Values {
  float least = 0, most = 0;
  std::vector<data::Image> pictures;  ///< of its first channels, when asked for
};

/// Up to eight channels of a map [1, H, W, C], each stretched from its least value (black) to its most (white).
std::vector<data::Image> channels_of(const std::vector<double>& values, const tensor::Shape& shape) {
  std::vector<data::Image> pictures;
  const int64_t height = shape[1], width = shape[2], channels = shape[3];
  for (int64_t c = 0; c < std::min<int64_t>(channels, 8); ++c) {
    double least = values[size_t(c)], most = least;
    for (int64_t i = 0; i < height * width; ++i) {
      least = std::min(least, values[size_t(i * channels + c)]);
      most = std::max(most, values[size_t(i * channels + c)]);
    }
    data::Image picture(height, width, 1);
    for (int64_t i = 0; i < height * width; ++i)
      picture.pixels[size_t(i)] =
          uint8_t(most > least ? 255 * (values[size_t(i * channels + c)] - least) / (most - least) : 0);
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

std::string short_op(const std::string& op) {
  constexpr std::string_view kLong = "binary_cross_entropy";
  return op.starts_with(kLong) ? "bce_loss" : op;
}

/// "64x64x16" of [1, 64, 64, 16].
std::string extents_text(const tensor::Shape& shape) {
  const std::vector<int64_t> all(shape.begin() + (shape.rank() == 4 ? 1 : 0), shape.end());
  return all.empty() ? "1" : fmt::format("{}", fmt::join(all, "x"));
}

/// The table of ops in the order of the forward pass, with what each layer is and what it made.
void print_ops(const std::vector<autograd::TraceRow>& rows, std::map<uint64_t, nn::OpPlace>& places,
               const std::map<uint64_t, Values>& values) {
  fmt::print(
      "Forward: the ops in their order, the range of what each made (height x width x\n"
      "channels), and how large the gradient of the loss by it is.\n\n");
  fmt::print("{:>3} {:<16} {:<21} {:<11} {:>7} {:>7} {:>9}\n", "#", "op", "layer", "output", "least", "most", "|grad|");
  std::string part;
  int number = 0;
  for (size_t i = 0; i < rows.size() && rows[i].op != "leaf"; ++i) {
    const autograd::TraceRow& row = rows[i];
    if (row.op == "cast") continue;  // numbers in another type for a moment
    const nn::OpPlace& place = places[row.order];
    const auto [of, layer] = nn::part_of_name(place.layer);
    if (!of.empty() && of != part) fmt::print("{}\n", part = of);
    if (!place.joins.empty() && row.shape.rank() == 4) {
      std::vector<std::string> from;
      for (const std::string& j : place.joins) from.push_back(nn::part_of_name(j).second);
      fmt::print("    skip connection: side by side {}\n", fmt::join(from, ", "));
    }
    const Values& v = values.at(row.order);
    fmt::print("{:>3} {:<16} {:<21} {:<11} {:>7.2g} {:>7.2g} {:>9}\n", number++,
               short_op(row.op) + (place.relu ? " relu" : ""), layer, extents_text(row.shape), v.least, v.most,
               row.gradient_norm < 0 ? "-" : fmt::format("{:.3e}", row.gradient_norm));
  }
}

void print_parameters(const std::vector<autograd::TraceRow>& rows, cris::Model& model) {
  fmt::print("\nBackward: the parameters, and the gradient that each received.\n\n{:<38} {:<20} {:>9} {:>9}\n",
             "parameter", "shape", "|value|", "|grad|");
  std::map<uint64_t, double> gradients;
  for (const autograd::TraceRow& row : rows)
    if (row.op == "leaf") gradients[row.order] = row.gradient_norm;
  for (const auto& p : model.parameters()) {
    double squares = 0;
    for (const double v : p.value->value().to_vector()) squares += v * v;
    const auto at = gradients.find(p.value->node()->order);
    fmt::print("{:<38} {:<20} {:>9.3e} {:>9}\n", p.name, fmt::format("{}", p.value->shape()), std::sqrt(squares),
               at == gradients.end() ? "none" : fmt::format("{:.3e}", at->second));
  }
}

size_t write_pictures(const FollowOptions& o, const std::vector<autograd::TraceRow>& rows,
                      std::map<uint64_t, nn::OpPlace>& places, const std::map<uint64_t, Values>& values) {
  data::Pictures pictures;
  std::vector<std::string> paths;
  int number = 0;  // as print_ops counts
  for (size_t i = 0; i < rows.size() && rows[i].op != "leaf"; ++i) {
    if (rows[i].op == "cast") continue;
    const std::string& in = places[rows[i].order].layer;
    const std::string layer = in.empty() ? "" : "-" + in;
    const auto& shown = values.at(rows[i].order).pictures;
    for (size_t c = 0; c < shown.size(); ++c) {
      paths.push_back(fmt::format("{}/{:03}-{}{}-{}.png", o.out, number, rows[i].op, layer, c));
      pictures.emplace_back(paths.back(), shown[c]);
    }
    ++number;
  }
  cris::check_outputs(paths, {o.image});
  const tensor::FolderLock lock(o.out);
  for (const auto& [path, picture] : pictures) data::write_png(path, picture);
  return pictures.size();
}

int follow(const FollowOptions& o) {
  const cris::Config config = o.config.config(o.run.empty() ? cris::Config() : cris::config_of_run(o.run));
  cris::apply_run_settings(config);
  const auto model = o.run.empty() ? cris::make_model(config) : cris::load_model(o.run, config);
  const int64_t size = config.data.size;
  const std::string stem = data::base_name(std::filesystem::path(o.image).filename());
  const std::string mask_path = mask_of(o.image, stem);
  // Without a mask, one without polyp.
  data::Sample sample{data::read_image(o.image), {}};
  const int64_t height = sample.image.height, width = sample.image.width;
  if (mask_path.empty())
    sample.mask = data::Image(height, width, 1);
  else
    sample = data::read_pair({stem, o.image, mask_path, cris::mask_rule(config).values});
  sample = data::resize(sample, size, size);
  fmt::print("{}: {} x {} pixels, resized to {} x {}\n", o.image, width, height, size, size);
  if (mask_path.empty())
    fmt::print("no mask beside it: the loss is against a mask without polyp\n");
  else
    fmt::print("mask: {}\n", mask_path);
  fmt::print("weights: {}\n\n", o.run.empty() ? "random, as a training begins" : "the best of " + o.run);
  std::vector<float> input(size_t(size * size * 3)), truth(size_t(size * size));
  data::to_unit(sample.image, input.data());
  data::to_binary(sample.mask, truth.data());
  const auto device = config.run.device;
  const auto x = tensor::Tensor::from(input, {1, size, size, 3}, tensor::Device::cpu).to(device);
  const auto mask = tensor::Tensor::from(truth, {1, size, size, 1}, tensor::Device::cpu).to(device);
  model->train();
  nn::set_random_step(*model, uint64_t(config.train.seed), 0);

  std::map<uint64_t, Values> values;
  const auto before = autograd::set_observer([&](const autograd::Observed& seen) {
    if (seen.gradient) return;
    const std::vector<double> all = tensor::cast(seen.result, tensor::DType::f32).to_vector();
    const auto [least, most] = std::ranges::minmax(all);
    values[seen.order] = {float(least), float(most), {}};
    if (!o.out.empty() && seen.result.shape().rank() == 4)
      values[seen.order].pictures = channels_of(all, seen.result.shape());
  });
  std::map<uint64_t, nn::OpPlace> places;
  double loss_value = 0;
  size_t written = 0;
  {
    const autograd::Trace trace;
    const autograd::Variable loss = cris::batch_loss(*model, cris::Loss::output_bce, {}, x, mask);
    places = nn::places_of_ops(*model, loss);
    autograd::backward(loss);
    loss_value = loss.value().item();
    // Before anything is printed, for whoever reads that may leave.
    if (!o.out.empty()) written = write_pictures(o, trace.rows(), places, values);
    print_ops(trace.rows(), places, values);
    print_parameters(trace.rows(), *model);
    std::set<std::string> used;
    for (const autograd::TraceRow& row : trace.rows()) used.insert(row.op);
    fmt::print("\nWhere each op computes its value and its gradients:\n");
    for (const std::string& op : used)
      if (const auto at = kOpPlaces.find(op); at != kOpPlaces.end()) fmt::print("  {:<20} {}\n", op, at->second);
  }
  autograd::set_observer(before);
  fmt::print("\nloss (binary cross entropy of the output): {:.6f}\n", loss_value);
  if (o.out.empty())
    next_step("{} -o activations", command_line());
  else
    fmt::print("{} pictures of activations, up to 8 channels an op, black to white from least to most: {}\n", written,
               o.out);
  return kOk;
}

Run setup_follow(CLI::App& app) {
  auto o = std::make_shared<FollowOptions>(app);
  app.add_option("IMAGE", o->image,
                 "an image file; DIR/images/NAME.* is followed against DIR/masks/NAME.* where there is one")
      ->required();
  app.add_option("--run", o->run, "the trained model of this run; default: random weights of the configuration")
      ->type_name("RUN");
  app.add_option("-o,--out", o->out, "folder for pictures of the activations")->type_name("DIR");
  add_example(app, "follow data/images/0001.png --base 4 --size 64");
  add_example(app, "follow frame.jpg --run runs/kvasir -o activations");
  return [o] {
    if (!o->out.empty()) outlive_reader();
    return follow(*o);
  };
}

const Command follow_command(80, "follow", "one image through the network and back, op by op", setup_follow);

}  // namespace

}  // namespace tools
