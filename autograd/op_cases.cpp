/// One row an op: shapes that are awkward on purpose, and values away from kinks, where a difference quotient would
/// fail.
#include "autograd/op_cases.h"

#include <numeric>

#include "tensor/gaussian/gaussian_filter.h"

namespace autograd {

using tensor::DType;
using tensor::Shape;

namespace {

using Inputs = std::vector<Variable>;

CaseInput fixed(const Shape& shape, double low = 0, double high = 1) {
  return {shape, low, high, Values::uniform, false};
}
CaseInput kinked(const Shape& shape) { return {shape, -1, 1, Values::away_from_zero}; }
CaseInput distinct(const Shape& shape) { return {shape, -1, 1, Values::distinct}; }
CaseInput probability(const Shape& shape) { return {shape, 0.05, 0.95}; }

/// Square convolution of an n x h x w x c image to k channels; with a bias unless the name says otherwise.
OpCase conv(const std::string& what, int64_t n, int64_t h, int64_t w, int64_t c, int64_t k, int64_t kernel,
            ConvOptions options, Activation activation = Activation::none, bool bias = true) {
  const Shape x{n, h, w, c}, weight{k, kernel, kernel, c};
  // Winograd's transforms cost a factor of two in accuracy.
  OpCase row{"conv2d", "conv2d " + what, {{x}, {weight}}, {}, tensor::conv_shape(x, weight, options).flops(), 2e-5};
  if (bias) row.inputs.push_back({Shape{k}});
  row.run = [=](const Inputs& in) { return conv2d(in[0], in[1], bias ? in[2] : Variable(), options, activation); };
  return row;
}

/// 3x3 convolution of an n x h x w image in parts of `channels` to k channels.
OpCase conv_of_parts(const std::string& what, int64_t n, int64_t h, int64_t w, const std::vector<int64_t>& channels,
                     int64_t k) {
  const int64_t c = std::reduce(channels.begin(), channels.end());
  const ConvOptions options{1, 1};
  OpCase row{"conv2d",
             "conv2d " + what,
             {{Shape{k, 3, 3, c}}},
             {},
             tensor::conv_shape({n, h, w, c}, {k, 3, 3, c}, options).flops(),
             2e-5};
  for (const int64_t part : channels) row.inputs.push_back({Shape{n, h, w, part}});
  row.run = [=](const Inputs& in) {
    return conv2d(Parts(Inputs(in.begin() + 1, in.end())), in[0], Variable(), options);
  };
  return row;
}

OpCase transposed(const std::string& what, int64_t n, int64_t p, int64_t q, int64_t k, int64_t c, int64_t kernel,
                  ConvOptions options, bool bias = true) {
  const Shape x{n, p, q, k}, weight{k, kernel, kernel, c};
  OpCase row{"conv_transpose2d",
             "conv_transpose2d " + what,
             {{x}, {weight}},
             {},
             2.0 * double(x.count() * kernel * kernel * c),
             2e-5};
  if (bias) row.inputs.push_back({Shape{c}});
  row.run = [=](const Inputs& in) { return conv_transpose2d(in[0], in[1], bias ? in[2] : Variable(), options); };
  return row;
}

OpCase norm(const std::string& what, const Shape& x, BatchNormOptions options) {
  const Shape row{x[-1]};
  return {"batch_norm", "batch_norm " + what, {{x, -1, 2}, {row, 0.5, 1.5}, {row}}, [=](const Inputs& in) {
            const Tensor& v = in[0].value();
            const Tensor mean = tensor::full(row, 0.25, v.dtype(), v.device()),
                         var = tensor::full(row, 0.75, v.dtype(), v.device());
            return batch_norm(in[0], in[1], in[2], mean, var, options);
          }};
}

OpCase pool(const std::string& what, const Shape& x, int64_t kernel, int64_t stride) {
  return {"max_pool2d", "max_pool2d " + what, {distinct(x)}, [=](const Inputs& in) {
            return max_pool2d(in[0], kernel, stride).y;
          }};
}

/// The windows' places come from a second image, which needs no gradient.
OpCase unpool(const std::string& what, const Shape& image, int64_t kernel, int64_t stride) {
  const tensor::PoolShape z = tensor::pool_shape(image, kernel, stride);
  return {"max_unpool2d",
          "max_unpool2d " + what,
          {{Shape{z.n, z.p, z.q, z.c}}, {image, -1, 1, Values::distinct, false}},
          [=](const Inputs& in) { return max_unpool2d(in[0], max_pool2d(in[1], kernel, stride)); }};
}

OpCase resized(const std::string& what, const Shape& x, int64_t height, int64_t width, ResizeMode mode) {
  return {"resize", "resize " + what, {{x}}, [=](const Inputs& in) { return resize(in[0], height, width, mode); }};
}

void add_elementwise(std::vector<OpCase>& rows) {
  using Binary = Variable (*)(const Variable&, const Variable&);
  const std::vector<std::pair<std::string, Binary>> binary{
      {"add", add}, {"subtract", subtract}, {"multiply", multiply}};
  for (const auto& [op, f] : binary) {
    const auto run = [f = f](const Inputs& in) { return f(in[0], in[1]); };
    rows.push_back({op, op + " same shape", {{Shape{3, 5, 7, 2}}, {Shape{3, 5, 7, 2}}}, run});
    rows.push_back({op, op + " one row", {{Shape{2, 3, 3, 65}}, {Shape{65}}}, run});
    rows.push_back({op, op + " one element", {{Shape{3, 5, 5, 1}}, {Shape{1}}}, run});
    rows.push_back({op, op + " with itself", {{Shape{4, 9}}}, [f = f](const Inputs& in) {
                      return f(in[0], affine(in[0], 2, 1));
                    }});
  }
  rows.push_back({"affine", "affine", {{Shape{3, 17}}}, [](const Inputs& in) { return affine(in[0], -1.5, 0.25); }});
  rows.push_back({"relu", "relu", {kinked({3, 5, 5, 3})}, [](const Inputs& in) { return relu(in[0]); }});
  rows.push_back({"sigmoid", "sigmoid", {{Shape{3, 5, 5, 3}, -6, 6}}, [](const Inputs& in) { return sigmoid(in[0]); }});
  rows.push_back({"tanh", "tanh", {{Shape{3, 5, 5, 3}, -4, 4}}, [](const Inputs& in) { return tanh(in[0]); }});
  rows.push_back({"exp", "exp", {{Shape{3, 5, 5, 3}, -4, 4}}, [](const Inputs& in) { return exp(in[0]); }});
  rows.push_back({"log", "log", {{Shape{3, 5, 5, 3}, 0.1, 4}}, [](const Inputs& in) { return log(in[0]); }});
  rows.push_back(
      {"softmax", "softmax 2 classes", {{Shape{3, 5, 5, 2}, -3, 3}}, [](const Inputs& in) { return softmax(in[0]); }});
  rows.push_back(
      {"softmax", "softmax 1 class", {{Shape{3, 1}, -3, 3}}, [](const Inputs& in) { return softmax(in[0]); }});
  rows.push_back(
      {"softmax", "softmax 65 classes", {{Shape{4, 65}, -3, 3}}, [](const Inputs& in) { return softmax(in[0]); }});
  rows.push_back({"dropout", "dropout", {{Shape{3, 5, 5, 4}}}, [](const Inputs& in) {
                    return dropout(in[0], 0.4, {7, 2, 3});
                  }});
  // To f64: there and back loses nothing of f32.
  rows.push_back({"cast", "cast", {{Shape{3, 4, 5}}}, [](const Inputs& in) { return cast(in[0], DType::f64); }});
  rows.push_back({"reshape", "reshape", {{Shape{3, 4, 5}}}, [](const Inputs& in) { return reshape(in[0], {5, 12}); }});
  rows.push_back({"sum", "sum", {{Shape{3, 5, 5, 3}}}, [](const Inputs& in) { return sum(in[0]); }});
  rows.push_back({"mean", "mean", {{Shape{3, 5, 5, 3}, 0, 1}}, [](const Inputs& in) { return mean(in[0]); }});
  const auto join = [](const Inputs& in) { return concat(in); };
  rows.push_back({"concat", "concat 1 + 65 channels", {{Shape{2, 3, 3, 1}}, {Shape{2, 3, 3, 65}}}, join});
  rows.push_back({"concat",
                  "concat of 4",
                  {{Shape{3, 1, 1, 2}}, {Shape{3, 1, 1, 3}}, {Shape{3, 1, 1, 1}}, {Shape{3, 1, 1, 16}}},
                  join});
}

void add_products(std::vector<OpCase>& rows) {
  const auto product = [](const Inputs& in) { return matmul(in[0], in[1]); };
  const auto matrix = [&](const std::string& what, int64_t m, int64_t k, int64_t n) {
    rows.push_back({"matmul", "matmul " + what, {{Shape{m, k}}, {Shape{k, n}}}, product, 2.0 * double(m * n * k)});
  };
  matrix("1x1x1", 1, 1, 1);
  matrix("7x5x3", 7, 5, 3);
  matrix("13x65x33", 13, 65, 33);
  const auto map_rows = [](const Inputs& in) { return linear(in[0], in[1], in.size() > 2 ? in[2] : Variable()); };
  rows.push_back({"linear", "linear 5 to 3", {{Shape{7, 5}}, {Shape{3, 5}}, {Shape{3}}}, map_rows, 2.0 * 7 * 5 * 3});
  rows.push_back({"linear", "linear 65 to 1", {{Shape{2, 3, 65}}, {Shape{1, 65}}, {Shape{1}}}, map_rows, 2.0 * 6 * 65});
  rows.push_back({"linear", "linear without bias", {{Shape{1, 1}}, {Shape{33, 1}}}, map_rows, 2.0 * 33});
  const Activation relu = Activation::relu;
  rows.push_back(conv("1 pixel 1x1", 1, 1, 1, 3, 2, 1, {}));
  rows.push_back(conv("1 pixel 3x3", 1, 1, 1, 2, 3, 3, {1, 1}));
  rows.push_back(conv("1 channel", 2, 5, 7, 1, 1, 3, {1, 1}));
  rows.push_back(conv("65 channels", 1, 4, 5, 65, 65, 3, {1, 1}));
  rows.push_back(conv("3 to 16 relu", 3, 7, 9, 3, 16, 3, {1, 1}, relu));
  rows.push_back(conv("16 to 32", 1, 13, 11, 16, 32, 3, {1, 1}));
  rows.push_back(conv("no padding", 3, 6, 5, 4, 5, 3, {}));
  rows.push_back(conv("stride 2", 2, 7, 9, 3, 4, 3, {2, 1}));
  rows.push_back(conv("stride 2 even relu", 2, 8, 6, 5, 17, 3, {2, 1}, relu));
  rows.push_back(conv("1x1 without bias", 2, 5, 5, 65, 2, 1, {}, Activation::none, false));
  rows.push_back(conv("5x5 padding 2", 1, 6, 7, 2, 3, 5, {1, 2}));
  rows.push_back(conv("7x7 stride 3", 1, 11, 10, 2, 2, 7, {3, 3}));
  rows.push_back(conv("2x2 stride 2", 1, 6, 7, 3, 4, 2, {2, 0}, relu));
  rows.push_back(conv_of_parts("3 parts", 1, 5, 6, {2, 1, 4}, 3));
  rows.push_back(conv_of_parts("2 parts of whole vectors", 1, 13, 11, {16, 32}, 32));
  rows.push_back(transposed("2x2 stride 2", 2, 3, 5, 16, 8, 2, {2, 0}));
  rows.push_back(transposed("1 pixel", 1, 1, 1, 65, 1, 2, {2, 0}));
  rows.push_back(transposed("3x3 padding 1", 3, 5, 4, 3, 17, 3, {1, 1}));
  rows.push_back(transposed("4x4 stride 2 without bias", 1, 3, 4, 3, 2, 4, {2, 1}, false));
}

void add_windows(std::vector<OpCase>& rows) {
  rows.push_back(pool("2x2", {3, 6, 8, 5}, 2, 2));
  rows.push_back(pool("odd 65 channels", {1, 5, 7, 65}, 2, 2));
  rows.push_back(pool("1 pixel", {1, 2, 2, 1}, 2, 2));
  rows.push_back(pool("overlapping 3 stride 2", {2, 7, 9, 3}, 3, 2));
  rows.push_back(pool("overlapping 3 stride 1", {1, 5, 5, 2}, 3, 1));
  rows.push_back(unpool("2x2", {3, 6, 8, 5}, 2, 2));
  rows.push_back(unpool("odd 65 channels", {1, 5, 7, 65}, 2, 2));
  rows.push_back(unpool("gaps", {1, 8, 8, 3}, 2, 3));
  const std::vector<std::pair<std::string, ResizeMode>> modes{{"nearest", ResizeMode::nearest},
                                                              {"bilinear corners", ResizeMode::bilinear_corners},
                                                              {"bilinear centers", ResizeMode::bilinear_centers}};
  for (const auto& [name, mode] : modes) {
    rows.push_back(resized(name + " twice", {3, 4, 5, 3}, 8, 10, mode));
    rows.push_back(resized(name + " odd", {1, 7, 5, 2}, 10, 13, mode));
    rows.push_back(resized(name + " smaller", {1, 9, 8, 65}, 4, 3, mode));
    rows.push_back(resized(name + " from 1 pixel", {2, 1, 1, 1}, 3, 4, mode));
    rows.push_back(resized(name + " to 1 pixel", {1, 5, 4, 2}, 1, 1, mode));
  }
}

void add_norms(std::vector<OpCase>& rows) {
  const Activation relu = Activation::relu;
  rows.push_back(norm("training", {3, 5, 7, 4}, {}));
  rows.push_back(norm("training relu", {2, 5, 4, 16}, {.activation = relu}));
  rows.push_back(norm("training 65 channels", {2, 3, 3, 65}, {.activation = relu}));
  rows.push_back(norm("training 1 channel", {2, 4, 4, 1}, {}));
  rows.push_back(norm("training 1 pixel batch 3", {3, 1, 1, 5}, {}));
  rows.push_back(norm("evaluation", {2, 3, 3, 5}, {.training = false}));
  rows.push_back(norm("evaluation relu", {1, 3, 5, 17}, {.training = false, .activation = relu}));
}

/// One filter an image over `axes` random features within a few standard deviations. Random, because the lattice is
/// discontinuous where points lie on a border between cells, as pixels on a grid do, and dtypes round apart there.
Filters filters_for(const Tensor& x, tensor::GaussianKind kind, tensor::Normalisation normalisation, int64_t axes) {
  const Shape& s = x.shape();
  Filters filters;
  for (int64_t n = 0; n < s[0]; ++n) {
    const Tensor features = tensor::uniform({9, uint32_t(n), uint32_t(axes)}, {s[1] * s[2], axes}, 0, 3, DType::f32,
                                            tensor::Device::reference);
    filters.push_back(std::make_shared<const tensor::GaussianFilter>(kind, normalisation,
                                                                     tensor::cast(features, x.dtype()).to(x.device())));
  }
  return filters;
}

void add_crf(std::vector<OpCase>& rows) {
  using tensor::GaussianKind;
  using tensor::Normalisation;
  for (const GaussianKind kind : tensor::kGaussianKinds) {
    for (const Normalisation normalisation : {Normalisation::row, Normalisation::symmetric}) {
      const std::string how = std::string(tensor::name(kind)) + " " + tensor::name(normalisation);
      const auto filter = [=](const Inputs& in) {
        return gaussian_filter(in[0], filters_for(in[0].value(), kind, normalisation, 5));
      };
      rows.push_back({"gaussian_filter", "gaussian_filter " + how, {{Shape{3, 5, 7, 2}}}, filter});
      rows.push_back({"gaussian_filter", "gaussian_filter 1 pixel " + how, {{Shape{1, 1, 1, 1}}}, filter});
    }
  }
  const auto infer = [](const Inputs& in) {
    const Filters spatial = filters_for(in[0].value(), GaussianKind::exact, Normalisation::symmetric, 2);
    const Filters bilateral = filters_for(in[0].value(), GaussianKind::exact, Normalisation::symmetric, 5);
    return mean_field(in[0], spatial, bilateral, in[1], in[2], in[3], 3);
  };
  for (const int64_t channels : {1, 3}) {
    const int64_t labels = channels == 1 ? 2 : channels;
    const CaseInput weight{Shape{labels, labels}};
    rows.push_back({"mean_field",
                    "mean_field " + std::to_string(labels) + " labels",
                    {{Shape{2, 4, 5, channels}, -2, 2}, weight, weight, weight},
                    infer});
  }
}

/// Of a z with its classes drawn at random.
OpCase classified(const std::string& what, const Shape& z) {
  const Shape rows(std::vector<int64_t>(z.begin(), z.end() - 1));
  return {"cross_entropy", "cross_entropy " + what, {{z, -3, 3}, fixed(rows, 0, double(z[-1]))}, [](const Inputs& in) {
            return cross_entropy(in[0], tensor::cast(in[1].value(), DType::i32));
          }};
}

void add_losses(std::vector<OpCase>& rows) {
  rows.push_back(classified("2 classes", {3, 5, 7, 2}));
  rows.push_back(classified("65 classes", {4, 65}));
  rows.push_back(classified("1 class", {3, 1}));
  const Shape mask{3, 5, 7, 1}, pixel{1, 1, 1, 1};
  for (const auto& [what, shape] : {std::pair{"", mask}, std::pair{" 1 pixel", pixel}}) {
    const std::string suffix = what;
    rows.push_back({"mse_loss", "mse_loss" + suffix, {{shape}, fixed(shape)}, [](const Inputs& in) {
                      return mse_loss(in[0], in[1].value());
                    }});
    rows.push_back({"binary_cross_entropy",
                    "binary_cross_entropy" + suffix,
                    {probability(shape), fixed(shape)},
                    [](const Inputs& in) { return binary_cross_entropy(in[0], in[1].value()); }});
    rows.push_back({"binary_cross_entropy_with_logits",
                    "binary_cross_entropy_with_logits" + suffix,
                    {{shape, -4, 4, Values::away_from_zero}, fixed(shape)},
                    [](const Inputs& in) { return binary_cross_entropy_with_logits(in[0], in[1].value()); }});
    rows.push_back(
        {"soft_dice_loss", "soft_dice_loss" + suffix, {probability(shape), fixed(shape)}, [](const Inputs& in) {
           return soft_dice_loss(in[0], in[1].value(), 1);
         }});
  }
}

}  // namespace

const std::vector<OpCase>& op_cases() {
  static const std::vector<OpCase> table = [] {
    std::vector<OpCase> rows;
    add_elementwise(rows);
    add_products(rows);
    add_windows(rows);
    add_norms(rows);
    add_crf(rows);
    add_losses(rows);
    return rows;
  }();
  return table;
}

const std::vector<OpCase>& large_op_cases() {
  static const std::vector<OpCase> table = [] {
    const Activation relu = Activation::relu;
    std::vector<OpCase> rows;
    rows.push_back({"matmul",
                    "matmul 512",
                    {{Shape{512, 512}}, {Shape{512, 512}}},
                    [](const Inputs& in) { return matmul(in[0], in[1]); },
                    2.0 * 512 * 512 * 512});
    rows.push_back(conv("256x256 3 to 64", 1, 256, 256, 3, 64, 3, {1, 1}));
    rows.push_back(conv("256x256 64 to 64", 1, 256, 256, 64, 64, 3, {1, 1}));
    rows.push_back(conv("128x128 128 to 128", 1, 128, 128, 128, 128, 3, {1, 1}));
    rows.push_back(conv("64x64 256 to 256 relu", 1, 64, 64, 256, 256, 3, {1, 1}, relu));
    rows.push_back(conv("16x16 1024 to 1024", 1, 16, 16, 1024, 1024, 3, {1, 1}));
    rows.push_back(conv("128x128 3 to 16", 4, 128, 128, 3, 16, 3, {1, 1}));
    rows.push_back(conv("128x128 16 to 16", 4, 128, 128, 16, 16, 3, {1, 1}));
    rows.push_back(conv_of_parts("128x128 16 and 16 to 16", 4, 128, 128, {16, 16}, 16));
    rows.push_back(conv("128x128 16 to 16 5x5", 4, 128, 128, 16, 16, 5, {1, 2}));
    rows.push_back(conv("128x128 16 to 16 7x7", 4, 128, 128, 16, 16, 7, {1, 3}));
    rows.push_back(conv("256x256 64 to 1 1x1", 1, 256, 256, 64, 1, 1, {}));
    rows.push_back(transposed("128x128 128 to 64 2x2 stride 2", 1, 128, 128, 128, 64, 2, {2, 0}));
    rows.push_back(pool("256x256x64", {1, 256, 256, 64}, 2, 2));
    rows.push_back(pool("256x256x64 3x3 stride 2", {1, 256, 256, 64}, 3, 2));
    rows.push_back(resized("bilinear 128 to 256", {1, 128, 128, 64}, 256, 256, ResizeMode::bilinear_centers));
    rows.push_back(norm("256x256x64 relu", {1, 256, 256, 64}, {.activation = relu}));
    const Shape image{1, 256, 256, 64}, mask{4, 256, 256, 1};
    rows.push_back({"relu", "relu 256x256x64", {{image}}, [](const Inputs& in) { return autograd::relu(in[0]); }});
    rows.push_back({"add", "add 256x256x64", {{image}, {image}}, [](const Inputs& in) { return add(in[0], in[1]); }});
    rows.push_back(
        {"concat", "concat 256x256x64 twice", {{image}, {image}}, [](const Inputs& in) { return concat(in); }});
    rows.push_back({"dropout", "dropout 128x128x16", {{Shape{4, 128, 128, 16}}}, [](const Inputs& in) {
                      return dropout(in[0], 0.01, {7, 2, 3});
                    }});
    rows.push_back({"softmax", "softmax 256x256, 2 classes", {{Shape{4, 256, 256, 2}}}, [](const Inputs& in) {
                      return softmax(in[0]);
                    }});
    rows.push_back({"sigmoid", "sigmoid 256x256", {{mask}}, [](const Inputs& in) { return sigmoid(in[0]); }});
    rows.push_back({"linear",
                    "linear 512, 1024 to 1024",
                    {{Shape{512, 1024}}, {Shape{1024, 1024}}, {Shape{1024}}},
                    [](const Inputs& in) { return linear(in[0], in[1], in[2]); },
                    2.0 * 512 * 1024 * 1024});
    rows.push_back({"tanh", "tanh 256x256x64", {{image}}, [](const Inputs& in) { return autograd::tanh(in[0]); }});
    rows.push_back({"exp", "exp 256x256x64", {{image}}, [](const Inputs& in) { return autograd::exp(in[0]); }});
    rows.push_back({"log", "log 256x256x64", {{image, 0.1, 2}}, [](const Inputs& in) { return autograd::log(in[0]); }});
    rows.push_back(classified("256x256, 10 classes", {4, 256, 256, 10}));
    rows.push_back({"binary_cross_entropy_with_logits",
                    "binary_cross_entropy_with_logits 256x256",
                    {{mask}, fixed(mask)},
                    [](const Inputs& in) { return binary_cross_entropy_with_logits(in[0], in[1].value()); }});
    rows.push_back({"soft_dice_loss", "soft_dice_loss 256x256", {probability(mask), fixed(mask)}, [](const Inputs& in) {
                      return soft_dice_loss(in[0], in[1].value(), 1);
                    }});
    return rows;
  }();
  return table;
}

}  // namespace autograd
