/// Each network once more, operator by operator, with the weights under their names in the checkpoint. The only file
/// that includes ONNX's schema, and protobuf with it.
#include "tools/exchange/onnx_network.h"

#include <fmt/format.h>

#include "cris/run/build_facts.h"
#include "nn/checkpoint.h"
#include "nn/norm.h"

#ifdef CRIS_ONNX
#include <onnx/onnx_pb.h>
#endif

namespace tools {

#ifdef CRIS_ONNX

namespace {

using Names = std::vector<std::string>;
using Integers = std::vector<int64_t>;
using Attribute = std::variant<int64_t, float, std::string, Integers>;
using Attributes = std::map<std::string, Attribute>;

constexpr int64_t kIrVersion = 8, kOpset = 17;

class Builder {
 public:
  explicit Builder(cris::Model& model)
      : options_(model.options), weights_(nn::checkpoint_of(model, nullptr, {}).tensors) {}

  onnx::ModelProto build(const std::map<std::string, std::string>& metadata) {
    const cris::BackboneKind kind = options_.backbone.kind;
    model_.set_ir_version(kIrVersion);
    model_.set_producer_name("cris");
    model_.set_producer_version(cris::build_facts().version);
    model_.set_doc_string(
        fmt::format("RGB / 255, channels first; height and width multiples of {}", cris::size_multiple(kind)));
    model_.add_opset_import()->set_version(kOpset);
    for (const auto& [key, value] : metadata) {
      auto& entry = *model_.add_metadata_props();
      entry.set_key(key);
      entry.set_value(value);
    }
    graph_.set_name(cris::name(kind));
    declare(*graph_.add_input(), "image", 3);
    const std::string logits =
        backbone(kind, options_.input == cris::Input::standard ? standardised("image") : "image");
    const bool refined = options_.strategy == cris::Strategy::fcn || options_.strategy == cris::Strategy::cris;
    add("Sigmoid", {logits}, {}, refined ? "mask_probability" : "probability");
    if (refined) add("Sigmoid", {refiner("mask_probability")}, {}, "probability");
    declare(*graph_.add_output(), "probability", 1);
    if (refined) declare(*graph_.add_output(), "mask_probability", 1);
    for (size_t i = 0; i < integers_.size(); ++i)
      put_tensor(fmt::format("integers.{}", i), {int64_t(integers_[i].size())}, integers_[i], onnx::TensorProto::INT64);
    return std::move(model_);
  }

 private:
  const cris::ModelOptions& options_;
  std::map<std::string, nn::StoredTensor> weights_;
  onnx::ModelProto model_;
  onnx::GraphProto& graph_ = *model_.mutable_graph();
  std::vector<Integers> integers_;
  int64_t values_ = 0;

  /// An input or output [batch, channels, height, width] of f32.
  static void declare(onnx::ValueInfoProto& value, const char* name, int64_t channels) {
    value.set_name(name);
    onnx::TypeProto_Tensor& type = *value.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    onnx::TensorShapeProto& shape = *type.mutable_shape();
    shape.add_dim()->set_dim_param("batch");
    shape.add_dim()->set_dim_value(channels);
    shape.add_dim()->set_dim_param("height");
    shape.add_dim()->set_dim_param("width");
  }
  static void put_attribute(onnx::AttributeProto& to, const std::string& name, const Attribute& value) {
    to.set_name(name);
    if (const auto* i = std::get_if<int64_t>(&value)) {
      to.set_type(onnx::AttributeProto::INT);
      to.set_i(*i);
    } else if (const auto* f = std::get_if<float>(&value)) {
      to.set_type(onnx::AttributeProto::FLOAT);
      to.set_f(*f);
    } else if (const auto* s = std::get_if<std::string>(&value)) {
      to.set_type(onnx::AttributeProto::STRING);
      to.set_s(*s);
    } else {
      to.set_type(onnx::AttributeProto::INTS);
      for (const int64_t i : std::get<Integers>(value)) to.add_ints(i);
    }
  }
  /// A constant of the graph, in the machine's byte order, which is the format's: little-endian.
  template <class T>
  void put_tensor(const std::string& name, const Integers& shape, const std::vector<T>& values,
                  onnx::TensorProto::DataType type) {
    onnx::TensorProto& to = *graph_.add_initializer();
    to.set_name(name);
    to.set_data_type(type);
    for (const int64_t extent : shape) to.add_dims(extent);
    to.set_raw_data(values.data(), values.size() * sizeof(T));
  }
  /// Adds a node and returns its output's name: the given one, or a new one.
  std::string add(const std::string& op, const Names& inputs, const Attributes& attributes = {},
                  std::string output = "") {
    if (output.empty()) output = fmt::format("x{}", values_++);
    onnx::NodeProto& node = *graph_.add_node();
    node.set_op_type(op);
    node.set_name(op + "." + output);
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(output);
    for (const auto& [name, value] : attributes) put_attribute(*node.add_attribute(), name, value);
    return output;
  }
  std::string constant(const std::string& name, const Integers& shape, const std::vector<float>& values) {
    put_tensor(name, shape, values, onnx::TensorProto::FLOAT);
    return name;
  }
  /// The tensor of that name in the checkpoint.
  std::string weight(const std::string& name) {
    const nn::StoredTensor& t = weights_.at(name);
    const std::vector<double> values = t.values();
    return constant(name, t.extents, {values.begin(), values.end()});
  }
  std::string integers(const Integers& values) {
    integers_.push_back(values);
    return fmt::format("integers.{}", integers_.size() - 1);
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
               {{"kernel_shape", Integers{2, 2}}, {"strides", Integers{2, 2}}});
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
    return add("MaxPool", {x}, {{"kernel_shape", Integers{2, 2}}, {"strides", Integers{2, 2}}});
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
    const Attributes corners = {{"mode", std::string("linear")},
                                {"coordinate_transformation_mode", std::string("align_corners")}};
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

std::string onnx_bytes(cris::Model& model, const std::map<std::string, std::string>& metadata) {
  const onnx::ModelProto made = Builder(model).build(metadata);
  std::string bytes;
  tensor::require(made.ByteSizeLong() < size_t(INT32_MAX) && made.SerializeToString(&bytes),
                  "a model of {} bytes is beyond the 2 GB of an ONNX file; export a smaller base", made.ByteSizeLong());
  return bytes;
}

#else

std::string onnx_bytes(cris::Model&, const std::map<std::string, std::string>&) {
  throw tensor::Error(
      "this program was built without ONNX; install libonnx-dev, libprotobuf-dev and protobuf-compiler "
      "(tools/setup.sh onnx), then build again from a new cmake --preset");
}

#endif

}  // namespace tools
