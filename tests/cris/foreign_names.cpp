/// Weights under the names of other projects fill this project's networks whole.
#include "cris/run/foreign_names.h"

#include <doctest/doctest.h>

#include "cris/model.h"
#include "nn/checkpoint.h"
#include "nn/init.h"

namespace {

using cris::BackboneKind;

std::unique_ptr<cris::Model> drawn(BackboneKind kind, bool supervised = false) {
  auto model = std::make_unique<cris::Model>(
      cris::ModelOptions{.backbone = {.kind = kind, .base = 2, .deep_supervision = supervised},
                         .strategy = cris::Strategy::backbone,
                         .refiner = {},
                         .crf = {}});
  nn::initialize(*model, 3);
  return model;
}

/// As its author's program names it: each pair is a piece of our name and what stands there for it, in order.
nn::SafeTensors theirs(cris::Model& model, const std::vector<std::pair<std::string, std::string>>& pieces) {
  nn::SafeTensors file;
  for (auto& [name, tensor] : nn::checkpoint_of(model, nullptr, {}).tensors) {
    std::string other = name;
    for (const auto& [ours, its] : pieces)
      if (const size_t at = other.find(ours); at != std::string::npos) other.replace(at, ours.size(), its);
    file.tensors[other] = tensor;
  }
  return file;
}

/// Whether every tensor of `file` has its place in a new network of that kind, and fills it.
void check_whole(const nn::SafeTensors& file, BackboneKind kind, bool supervised = false) {
  const auto model = drawn(kind, supervised);
  const nn::Matching m = nn::apply_matching(cris::in_our_names(file), *model);
  CHECK(m.missing == std::vector<std::string>{});
  CHECK(m.unused == std::vector<std::string>{});
}

}  // namespace

TEST_CASE("foreign names: milesial's U-Net") {
  const auto model = drawn(BackboneKind::unet);
  const nn::SafeTensors file = theirs(*model, {{"backbone.encoder.0.", "inc."},
                                               {"backbone.encoder.1.", "down1.maxpool_conv.1."},
                                               {"backbone.encoder.2.", "down2.maxpool_conv.1."},
                                               {"backbone.encoder.3.", "down3.maxpool_conv.1."},
                                               {"backbone.encoder.4.", "down4.maxpool_conv.1."},
                                               {"backbone.decoder.3.", "up1."},
                                               {"backbone.decoder.2.", "up2."},
                                               {"backbone.decoder.1.", "up3."},
                                               {"backbone.decoder.0.", "up4."},
                                               {"block.", "conv."},
                                               {"backbone.head.", "outc.conv."},
                                               {"conv1.", "double_conv.0."},
                                               {"norm1.", "double_conv.1."},
                                               {"conv2.", "double_conv.3."},
                                               {"norm2.", "double_conv.4."}});
  REQUIRE(file.tensors.contains("up1.conv.double_conv.4.running_var"));
  REQUIRE(file.tensors.contains("down4.maxpool_conv.1.double_conv.3.weight"));
  check_whole(file, BackboneKind::unet);
}

TEST_CASE("foreign names: 4uiiurz1's NestedUNet, whose biases move into the running means") {
  for (const bool supervised : {false, true}) {
    const auto model = drawn(BackboneKind::unet_plus_plus, supervised);
    nn::SafeTensors file = theirs(*model, {{"backbone.node.", "conv"},
                                           {"norm1.", "bn1."},
                                           {"norm2.", "bn2."},
                                           {"backbone.side_head.", "final"},
                                           {"backbone.head.", supervised ? "final4." : "final."}});
    REQUIRE(file.tensors.contains("conv0_4.bn2.running_mean"));
    file.tensors["conv1_2.conv1.bias"] = nn::stored(std::vector<double>{1, 2, 3, 4}, {4});
    file.tensors["conv1_2.bn1.running_mean"] = nn::stored(std::vector<double>{10, 10, 10, 10}, {4});
    check_whole(file, BackboneKind::unet_plus_plus, supervised);
    CHECK(cris::in_our_names(file).tensors.at("backbone.node.1_2.norm1.running_mean").values() ==
          std::vector<double>{9, 8, 7, 6});
  }
}

TEST_CASE("foreign names: a backbone alone, DataParallel, and what is nobody's") {
  const auto model = drawn(BackboneKind::segnet);
  check_whole(theirs(*model, {{"backbone.", ""}}), BackboneKind::segnet);
  check_whole(theirs(*model, {{"backbone.", "module.backbone."}}), BackboneKind::segnet);
  const nn::SafeTensors other = theirs(*model, {{"backbone.encoder", "features"}});
  CHECK(cris::in_our_names(other).tensors.size() == other.tensors.size());
  CHECK(cris::in_our_names(other).tensors.begin()->first == other.tensors.begin()->first);
}
