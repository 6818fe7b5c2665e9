/// Chapter 7: the paper's method, as one loop. With a folder of images/ and masks/ behind the figure's folder it trains
/// on those: course_07_cris . DIR
#include <fmt/format.h>

#include <filesystem>

#include "cris/evaluate.h"
#include "cris/report/svg_chart.h"
#include "data/split.h"
#include "data/synthetic.h"
#include "docs/course/figure.h"
#include "nn/dropout.h"
#include "nn/init.h"
#include "nn/optimizer.h"

using tensor::Device;

int main(int argc, char** argv) {
  // The images: those of the folder, or procedural ones.
  const std::filesystem::path made = std::filesystem::temp_directory_path() / fmt::format("course_07_{}", getpid());
  const std::string folder = argc > 2 ? argv[2] : made.string();
  if (argc <= 2) data::write_synthetic_set(folder, 120, 32, 32, /*seed=*/0);
  const int64_t size = argc > 2 ? 64 : 32, epochs = 12;
  const data::Dataset set = data::open_dataset(folder);
  std::vector<std::string> names;
  for (const data::Pair& pair : set.pairs) names.push_back(pair.name);
  const data::Split split = data::random_split(names, /*seed=*/0);
  const auto training = std::make_shared<data::SampleStore>(data::select(set, split.training), size, size);
  const auto validation = std::make_shared<data::SampleStore>(data::select(set, split.validation), size, size);

  // The model: U-Net of width 8, and the refiner behind it.
  cris::Model model({.backbone = {.base = 8}, .strategy = cris::Strategy::cris});
  nn::initialize(model, /*seed=*/0);
  nn::Adam adam(model);
  data::Loader loader(training, {.batch = 4});
  cris::Series dice{"Dice", {}};
  uint32_t step = 0;
  for (int64_t epoch = 0; epoch < epochs; ++epoch) {
    const cris::Loss kind = cris::loss_of(cris::Strategy::cris, {}, {.epoch = epoch});  // equation 3
    double total = 0;
    model.train();
    loader.start(epoch);
    while (const auto batch = loader.next(Device::cpu)) {
      nn::set_random_step(model, /*seed=*/0, step++);  // which elements dropout drops
      const cris::Outputs out = model(autograd::Variable(batch->x), {.refine = kind != cris::Loss::mask_mse});
      const auto loss = cris::loss_value(kind, {}, out.mask, out.output, batch->mask);  // equations 1 and 2
      total += loss.value().item();
      model.zero_grad();
      autograd::backward(loss);
      adam.step(3e-3);
    }
    const double mean = total / double(loader.steps_per_epoch());
    const cris::Scores scores = cris::evaluate(model, validation, Device::cpu, 4);
    dice.points.emplace_back(epoch + 1, scores.summary(scores.best_threshold()).dice);
    fmt::print("epoch {:2}, {:<17} {:.3f}, validation Dice {:.2f}\n", epoch + 1, name(kind), mean,
               dice.points.back().second);
  }
  const cris::Chart chart{"Dice on the validation set", "epoch", "Dice", {dice}, {}, {{0, 1}}};
  course::save(argc, argv, "07-dice.svg", cris::to_svg(chart));
  if (argc <= 2) std::filesystem::remove_all(made);
}
