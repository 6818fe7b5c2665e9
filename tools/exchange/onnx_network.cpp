/// Each network once more, operator by operator, with the weights under their names in the checkpoint.
#include "tools/exchange/onnx_network.h"

#include <fmt/format.h>

#include "nn/checkpoint.h"
#include "nn/norm.h"

namespace tools {

namespace {

using Names = std::vector<std::string>;

class Builder {
 public:
  explicit Builder(cris::Model& model)
      : options_(model.options), weights_(nn::checkpoint_of(model, nullptr, {}).tensors) {}

  OnnxGraph build() {
    const cris::BackboneOptions& o = options_.backbone;
    const int64_t multiple = cris::size_multiple(o.kind);
    graph_.name = cris::name(o.kind);
    graph_.inputs = {{"image", {"batch", int64_t(3), "height", "width"}}};
    graph_.description = fmt::format("RGB / 255, channels first; height and width multiples of {}", multiple);
    std::string x = "image";
    if (options_.input == cris::Input::standard) x = standardised(x);
    const std::string logits = backbone(o.kind, x);
    const bool refined = options_.strategy == cris::Strategy::fcn || options_.strategy == cris::Strategy::cris;
    if (refined) {
      add("Sigmoid", {logits}, {}, "mask_probability");
      add("Sigmoid", {refiner("mask_probability")}, {}, "probability");
    } else {
      add("Sigmoid", {logits}, {}, "probability");
    }
    for (const char* name : {"probability", "mask_probability"})
      if (refined || graph_.outputs.empty()) graph_.outputs.push_back({name, {"batch", int64_t(1), "height", "width"}});
    return std::move(graph_);
  }

 private:
  const cris::ModelOptions& options_;
  std::map<std::string, nn::StoredTensor> weights_;
  OnnxGraph graph_;
  int64_t values_ = 0;

  /// Adds a node and returns its output's name: the given one, or a new one.
  std::string add(const std::string& op, const Names& inputs,
                  const std::map<std::string, OnnxAttribute>& attributes = {}, std::string output = "") {
    if (output.empty()) output = fmt::format("x{}", values_++);
    graph_.nodes.push_back({op, op + "." + output, inputs, {output}, attributes});
    return output;
  }
  /// The tensor of that name in the checkpoint, as a constant of the graph.
  std::string weight(const std::string& name) {
    const nn::StoredTensor& t = weights_.at(name);
    const std::vector<double> values = t.values();
    graph_.constants.push_back({name, t.extents, {values.begin(), values.end()}});
    return name;
  }
  std::string constant(const std::string& name, const std::vector<int64_t>& shape, const std::vector<float>& values) {
    graph_.constants.push_back({name, shape, values});
    return name;
  }
  std::string integers(const std::vector<int64_t>& values) {
    graph_.integers.push_back(values);
    return fmt::format("integers.{}", graph_.integers.size() - 1);
  }

  /// path.weight, and path.bias where there is one; every map keeps its size.
  std::string conv(const std::string& path, const std::string& x) {
    const int64_t kernel = weights_.at(path + ".weight").extents[2], pad = kernel / 2;
    Names inputs{x, weight(path + ".weight")};
    if (weights_.contains(path + ".bias")) inputs.push_back(weight(path + ".bias"));
    return add("Conv", inputs,
               {{"kernel_shape", std::vector{kernel, kernel}}, {"pads", std::vector{pad, pad, pad, pad}}});
  }
  /// 2x2, stride 2.
  std::string conv_transpose(const std::string& path, const std::string& x) {
    return add("ConvTranspose", {x, weight(path + ".weight"), weight(path + ".bias")},
               {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}});
  }
  std::string backbone(cris::BackboneKind kind, const std::string& image) {
    switch (kind) {
      case cris::BackboneKind::unet:
        return unet(image);
      case cris::BackboneKind::unet_plus_plus:
        return unet_plus_plus(image);
      case cris::BackboneKind::segnet:
        return segnet(image);
    }
    throw tensor::Error("export: this backbone is not written as ONNX");
  }
  std::string relu(const std::string& x) { return add("Relu", {x}); }
  std::string conv_norm_relu(const std::string& conv_path, const std::string& norm, const std::string& x) {
    std::string y = conv(conv_path, x);
    if (weights_.contains(norm + ".weight"))
      y = add("BatchNormalization",
              {y, weight(norm + ".weight"), weight(norm + ".bias"), weight(norm + ".running_mean"),
               weight(norm + ".running_var")},
              {{"epsilon", float(nn::BatchNormLayerOptions{.channels = 1}.epsilon)}});
    return relu(y);
  }
  std::string double_conv(const std::string& path, const std::string& x) {
    return conv_norm_relu(path + ".conv2", path + ".norm2", conv_norm_relu(path + ".conv1", path + ".norm1", x));
  }
  std::string max_pool(const std::string& x) {
    return add("MaxPool", {x}, {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}});
  }
  std::string concat(const Names& parts) { return add("Concat", parts, {{"axis", int64_t(1)}}); }

  std::string standardised(const std::string& x) {
    const std::vector<float> mean(cris::kInputMean.begin(), cris::kInputMean.end()),
        deviation(cris::kInputDeviation.begin(), cris::kInputDeviation.end());
    const std::string centred = add("Sub", {x, constant("input.mean", {1, 3, 1, 1}, mean)});
    return add("Div", {centred, constant("input.deviation", {1, 3, 1, 1}, deviation)});
  }

  std::string unet(std::string x) {
    constexpr int kStages = 5;
    Names skips;
    for (int i = 0; i < kStages; ++i) {
      x = double_conv(fmt::format("backbone.encoder.{}", i), x);
      if (i + 1 < kStages) skips.push_back(x), x = max_pool(x);
    }
    for (int i = kStages - 2; i >= 0; --i) {
      const std::string path = fmt::format("backbone.decoder.{}", i);
      x = double_conv(path + ".block", concat({skips[size_t(i)], conv_transpose(path + ".up", x)}));
    }
    return conv("backbone.head", x);
  }

  std::string unet_plus_plus(const std::string& image) {
    constexpr int kDepth = 5;
    Names value[kDepth];  // value[i][j]: node i_j
    const std::string scales = constant("twice", {4}, {1, 1, 2, 2});
    const std::map<std::string, OnnxAttribute> corners = {
        {"mode", std::string("linear")}, {"coordinate_transformation_mode", std::string("align_corners")}};
    for (int j = 0; j < kDepth; ++j)
      for (int i = 0; i + j < kDepth; ++i) {
        std::string x = i == 0 ? image : "";
        if (j == 0 && i > 0) x = max_pool(value[i - 1][0]);
        if (j > 0) {
          const std::string& below = value[i + 1][size_t(j) - 1];
          Names parts = value[i];
          parts.push_back(options_.backbone.up == cris::UpKind::bilinear
                              ? add("Resize", {below, "", scales}, corners)
                              : conv_transpose(fmt::format("backbone.up.{}_{}", i, j), below));
          x = concat(parts);
        }
        value[i].push_back(double_conv(fmt::format("backbone.node.{}_{}", i, j), x));
      }
    return conv("backbone.head", value[0].back());
  }

  /// The values of `x` where `pooled` found its maxima in `from`, of equal ones at the first; 0 elsewhere. ONNX has
  /// MaxUnpool, but not every runtime does: here the four pixels of each window are compared with their maximum.
  std::string max_unpool(const std::string& x, const std::string& from, const std::string& pooled) {
    const std::string end = integers({INT32_MAX, INT32_MAX}), axes = integers({2, 3}), steps = integers({2, 2}),
                      zero = constant(fmt::format("zero.{}", values_++), {1}, {0});
    std::string found;  // whether an earlier pixel of the window was the maximum
    Names placed;
    for (int64_t k = 0; k < 4; ++k) {
      const std::string pixel = add("Slice", {from, integers({k / 2, k % 2}), end, axes, steps});
      const std::string equal = add("Equal", {pixel, pooled});
      const std::string first = found.empty() ? equal : add("And", {equal, add("Not", {found})});
      found = found.empty() ? equal : add("Or", {found, equal});
      placed.push_back(add("Where", {first, x, zero}));
    }
    return add("DepthToSpace", {concat(placed)}, {{"blocksize", int64_t(2)}, {"mode", std::string("DCR")}});
  }

  std::string segnet(std::string x) {
    constexpr int kStages = 5;
    Names from, pooled;
    const auto stage = [&](const char* side, int s) {
      for (int k = 0; weights_.contains(fmt::format("backbone.{}.{}.{}.conv.weight", side, s, k)); ++k) {
        const std::string path = fmt::format("backbone.{}.{}.{}", side, s, k);
        x = conv_norm_relu(path + ".conv", path + ".norm", x);
      }
    };
    for (int s = 0; s < kStages; ++s) {
      stage("encoder", s);
      from.push_back(x);
      pooled.push_back(x = max_pool(x));
    }
    for (int s = kStages - 1; s >= 0; --s) {
      x = max_unpool(x, from[size_t(s)], pooled[size_t(s)]);
      stage("decoder", s);
    }
    return conv("backbone.head", x);
  }

  std::string refiner(std::string x) {
    x = relu(conv("refiner.expand", x));
    for (size_t i = 0; i + 1 < options_.refiner.kernels.size(); ++i)
      x = relu(conv(fmt::format("refiner.conv.{}", i), x));
    return conv("refiner.head", x);
  }
};

}  // namespace

OnnxGraph onnx_of(cris::Model& model) { return Builder(model).build(); }

}  // namespace tools
