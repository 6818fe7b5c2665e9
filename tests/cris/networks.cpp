/// The networks: parameter counts, sizes, gradients, and what each loss trains.
#include <doctest/doctest.h>

#include <cmath>

#include "cris/audit/model_gradcheck.h"
#include "cris/training_step.h"
#include "nn/dropout.h"
#include "nn/init.h"
#include "nn/optimizer.h"

using namespace cris;
using autograd::Variable;
using tensor::Device;
using tensor::DType;
using tensor::Tensor;

namespace {

struct SmallModel : Model {
  SmallModel(BackboneKind kind, Strategy strategy)
      : Model({.backbone = {.kind = kind, .base = 2},
               .strategy = strategy,
               .refiner = {.channels = 3, .kernels = {5, 3}},
               .crf = {}}) {
    nn::initialize(*this, 1);
    nn::set_random_step(*this, 1, 0);
  }
};

Variable image(int64_t height, int64_t width) {
  return Variable(tensor::uniform({5, 1, 0}, {2, height, width, 3}, 0, 1, DType::f32, Device::cpu));
}

}  // namespace

TEST_CASE("parameter counts of the default networks") {
  CHECK(make_backbone({.kind = BackboneKind::unet})->parameter_count() == 31'037'633);
  CHECK(make_backbone({.kind = BackboneKind::unet_plus_plus})->parameter_count() == 9'159'681);
  CHECK(make_backbone({.kind = BackboneKind::segnet})->parameter_count() == 29'435'649);
  CHECK(Refiner().parameter_count() == 19'153);
}

TEST_CASE("every network keeps the image's size, square or not, in training and evaluation") {
  for (const BackboneKind kind : {BackboneKind::unet, BackboneKind::unet_plus_plus, BackboneKind::segnet}) {
    CAPTURE(name(kind));
    SmallModel model(kind, Strategy::cris);
    const Outputs out = model(image(64, 32));
    CHECK(out.mask.shape() == tensor::Shape{2, 64, 32, 1});
    CHECK(out.output.shape() == tensor::Shape{2, 64, 32, 1});
    model.train(false);
    const autograd::NoGrad off;
    CHECK(model(image(32, 96)).output.shape() == tensor::Shape{2, 32, 96, 1});
  }
}

TEST_CASE("sizes that do not halve often enough are refused") {
  SmallModel unet(BackboneKind::unet, Strategy::backbone);
  CHECK_THROWS_WITH_AS(unet(image(40, 32)), doctest::Contains("multiples of 16"), tensor::Error);
  SmallModel segnet(BackboneKind::segnet, Strategy::backbone);
  CHECK_THROWS_WITH_AS(segnet(image(48, 32)), doctest::Contains("multiples of 32"), tensor::Error);
  CHECK_THROWS_AS(tensor::parse<BackboneKind>("resnet"), tensor::Error);
  CHECK_THROWS_AS(Refiner({.kernels = {4}}), tensor::Error);
  CHECK_THROWS_AS(make_backbone({.kind = BackboneKind::unet, .base = 2, .deep_supervision = true}), tensor::Error);
}

TEST_CASE("folded batch norms change nothing but the last bits, and training drops them") {
  for (const BackboneKind kind : {BackboneKind::unet, BackboneKind::unet_plus_plus, BackboneKind::segnet}) {
    CAPTURE(name(kind));
    SmallModel model(kind, Strategy::cris);
    model.to(DType::f64);
    const Variable x(tensor::cast(image(32, 32).value(), DType::f64));
    model(x);  // moves the running statistics
    CHECK_THROWS_AS(model.fold_norms(), tensor::Error);
    model.train(false);
    const autograd::NoGrad off;
    const auto apart = model(x).output.value().to_vector();
    model.fold_norms();
    const auto folded = model(x).output.value().to_vector();
    for (size_t i = 0; i < apart.size(); ++i) CHECK(folded[i] == doctest::Approx(apart[i]).epsilon(1e-10));
    nn::initialize(model, 2);
    CHECK(model(x).output.value().to_vector() != folded);
  }
}

TEST_CASE("the losses of CRIS are those of equations 1 to 3") {
  for (const int64_t batch : {0, 1})
    for (const int64_t epoch : {0, 1, 2, 3})
      CHECK(loss_of(Strategy::cris, {}, {.epoch = epoch, .batch = batch}) ==
            (epoch % 2 == 0 ? Loss::mask_mse : Loss::output_bce));
  CHECK(loss_of(Strategy::cris, {.alternate = Alternate::batch}, {.epoch = 1, .batch = 2}) == Loss::mask_mse);
  CHECK(loss_of(Strategy::cris, {.weighted_sum = true}, {}) == Loss::weighted_sum);
  CHECK(loss_of(Strategy::fcn, {}, {}) == Loss::output_bce);
  // A mask of probability 3/4 and an output of 1/4 where there is a polyp.
  const auto pixel = [](double value) { return tensor::full({1, 1, 1, 1}, value, DType::f64, Device::reference); };
  const Variable mask(pixel(std::log(3.0))), output(pixel(-std::log(3.0)));
  const auto value = [&](Loss loss) {
    return loss_value(loss, {.mse_weight = 0.25}, mask, output, pixel(1)).value().item();
  };
  CHECK(value(Loss::mask_mse) == doctest::Approx(1 / 16.0));
  CHECK(value(Loss::output_bce) == doctest::Approx(std::log(4.0)));
  CHECK(value(Loss::weighted_sum) == doctest::Approx(0.25 / 16 + 0.75 * std::log(4.0)));
}

TEST_CASE("the backbone's loss leaves the refiner untouched, a detached input leaves the backbone untouched") {
  SmallModel model(BackboneKind::unet, Strategy::cris);
  const Tensor target = tensor::full({2, 32, 32, 1}, 1, DType::f32, Device::cpu);
  Outputs out = model(image(32, 32));
  autograd::backward(loss_value(Loss::mask_mse, {}, out.mask, out.output, target));
  for (const auto& p : model.parameters()) CHECK(p.value->grad().defined() == (p.name.rfind("backbone.", 0) == 0));
  nn::Adam adam(model);
  adam.step(1e-3);
  CHECK(adam.state().count("refiner.head.weight") == 0);

  model.zero_grad();
  out = model(image(32, 32), {.detach_refiner_input = true});
  autograd::backward(loss_value(Loss::output_bce, {}, out.mask, out.output, target));
  for (const auto& p : model.parameters()) CHECK(p.value->grad().defined() == (p.name.rfind("refiner.", 0) == 0));
}

TEST_CASE("deep supervision: four heads and the mean of their losses in training, the last in evaluation") {
  ModelOptions options{.backbone = {.kind = BackboneKind::unet_plus_plus, .base = 2, .deep_supervision = true},
                       .strategy = Strategy::backbone,
                       .refiner = {},
                       .crf = {}};
  Model model(options);
  nn::initialize(model, 1);
  const Outputs out = model(image(32, 32));
  CHECK(out.sides.size() == 3);
  const Tensor target = tensor::full({2, 32, 32, 1}, 1, DType::f32, Device::cpu);
  const auto loss = [&](const Variable& logits) {
    return autograd::binary_cross_entropy_with_logits(logits, target).value().item();
  };
  const double mean = (loss(out.output) + loss(out.sides[0]) + loss(out.sides[1]) + loss(out.sides[2])) / 4;
  CHECK(batch_loss(model, Loss::output_bce, {}, image(32, 32).value(), target).value().item() == doctest::Approx(mean));
  model.train(false);
  CHECK(model(image(32, 32)).sides.empty());
}

TEST_CASE("gradients of whole networks") {
  for (const ModelCheck& check : model_checks()) {
    const ModelGradientError worst = gradcheck_model(check);
    CAPTURE(check.name);
    CAPTURE(worst.parameter);
    CHECK(worst.parameters > 40);
    CHECK(worst.error < 1e-7);
  }
}
