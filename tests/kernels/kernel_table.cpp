/// The table of kernel cases: elements, rows, sums, products and updates.
#include <tuple>

#include "tensor/gaussian/gaussian_filter.h"
#include "tests/kernels/kernel_cases.h"

namespace kernel_cases {

namespace {

/// From one element to past a few vectors, and past what one thread takes at a time.
const std::vector<int64_t> kSizes = {1, 5, 127, 128, 129, 4099, 70003};

Input parameter(const Shape& shape, double low = -1, double high = 1) { return {shape, low, high, true}; }

}  // namespace

std::vector<Case> elementwise() {
  struct Map {
    const char* name;
    MapOp op;
    double low = -4;
  };
  struct Zip {
    const char* name;
    ZipOp op;
    double low = -1, high = 1, b_low = -1, b_high = 1;
  };
  constexpr double kLow = 0.05, kHigh = 0.95;  // probabilities, whose logarithms are finite
  std::vector<Case> cases;
  for (const int64_t n : kSizes)
    for (const Map& m : {Map{"affine", Affine{-1.618034, 0.318310}},
                         {"relu", Relu{}},
                         {"sigmoid", Sigmoid{}},
                         {"exp", Exp{}},
                         {"log", Log{}, 0.01},
                         {"tanh", Tanh{}},
                         {"rsqrt", Rsqrt{0.01}, 0},
                         {"threshold", Threshold{0.25}}}) {
      cases.push_back({fmt::format("map {} [{}]", m.name, n),
                       {{{n}, m.low, 4}},
                       {{{n}}},
                       [op = m.op](const Tensors& in, const Tensors& out) { on(in[0]).map(op, in[0], out[0]); },
                       {0}});
    }
  for (const Shape& s : {Shape{1}, {5, 3}, {33, 70}, {2, 31, 29, 3}, {1001, 65}, {70003, 1}})
    for (const Zip& z : {Zip{"add", Add{}},
                         {"subtract", Subtract{}},
                         {"multiply", Multiply{}},
                         {"divide", Divide{}, -1, 1, kLow, kHigh},
                         {"relu_grad", ReluGrad{}},
                         {"sigmoid_grad", SigmoidGrad{}, -1, 1, kLow, kHigh},
                         {"tanh_grad", TanhGrad{}},
                         {"squared_difference", SquaredDifference{}},
                         {"binary_cross_entropy", BinaryCrossEntropy{}, kLow, kHigh, 0, 1},
                         {"binary_cross_entropy_grad", BinaryCrossEntropyGrad{}, kLow, kHigh, 0, 1},
                         {"binary_cross_entropy_with_logits", BinaryCrossEntropyWithLogits{}, -9, 9, 0, 1},
                         {"binary_cross_entropy_with_logits_grad", BinaryCrossEntropyWithLogitsGrad{}, -9, 9, 0, 1}})
      for (const Shape& b : {s, Shape{s[-1]}, Shape{1}}) {
        const bool equal = b.count() == s.count();
        if (equal && b != s) continue;
        cases.push_back(
            {fmt::format("zip {} {} and {}", z.name, s, b),
             {{s, z.low, z.high}, {b, z.b_low, z.b_high}},
             {{s}},
             [op = z.op](const Tensors& in, const Tensors& out) { on(in[0]).zip(op, in[0], in[1], out[0]); },
             equal ? std::vector<size_t>{0, 1} : std::vector<size_t>{0}});
      }
  return cases;
}

std::vector<Case> fills_and_casts() {
  const RandomKey key{.seed = 0x123456789abcull, .stream = 4, .step = 9};
  std::vector<Case> cases;
  for (const int64_t n : kSizes) {
    cases.push_back({fmt::format("fill, fill_uniform, fill_normal [{}]", n),
                     {{{1}}},  // says where
                     {{{n}}, {{n}}, {{n}}},
                     [=](const Tensors& in, const Tensors& out) {
                       on(in[0]).fill(0.1, out[0]);
                       on(in[0]).fill_uniform(key, -2, 3, out[1]);
                       on(in[0]).fill_normal(key, 1, 2, out[2]);
                     }});
    cases.push_back({fmt::format("cast [{}]", n),
                     {{{n}, -5, 300}},
                     {{{n}, false, DType::f64}, {{n}, false, DType::i32}, {{n}, false, DType::u8}, {{n}}, {{n}}, {{n}}},
                     [](const Tensors& in, const Tensors& out) {
                       for (const size_t i : {0, 1, 2}) {
                         on(in[0]).cast(in[0], out[i]);
                         on(in[0]).cast(out[i], out[3 + i]);
                       }
                     }});
  }
  return cases;
}

std::vector<Case> dropouts() {
  std::vector<Case> cases;
  for (const int64_t n : kSizes)
    for (const double p : {0.0, 0.25, 0.5, 0.9})
      cases.push_back({fmt::format("dropout {} [{}]", p, n),
                       {{{n}}},
                       {{{n}}},
                       [=](const Tensors& in, const Tensors& out) {
                         on(in[0]).dropout({.seed = 0x123456789abcull, .stream = 4, .step = 9}, p, in[0], out[0]);
                       },
                       {0}});
  return cases;
}

std::vector<Case> sums_and_norms(const std::vector<int64_t>& channels) {
  std::vector<Case> cases;
  for (const int64_t c : channels)
    for (const Shape& s : {Shape{1, 1, 2, c}, {3, 5, 7, c}, {2, 61, 53, c}}) {
      const Shape row{c};
      cases.push_back({fmt::format("sum {}", s),
                       {{s, -0.5, 1}},
                       {{{1}, true}, {row, true}},
                       [](const Tensors& in, const Tensors& out) {
                         on(in[0]).sum(in[0], out[0]);
                         on(in[0]).sum(in[0], out[1]);
                       }});
      cases.push_back(
          {fmt::format("batch_norm_statistics {}", s),
           {{s, -1, 2}},
           {{row, true}, {row, true}},
           [](const Tensors& in, const Tensors& out) { on(in[0]).batch_norm_statistics(in[0], out[0], out[1]); }});
      for (const Activation activation : {Activation::none, Activation::relu})
        for (const bool training : {true, false})
          cases.push_back({fmt::format("batch_norm {}{}{}", s, activation == Activation::relu ? " relu" : "",
                                       training ? " training" : ""),
                           {{s, -1, 2},
                            {s, -0.5, 1},  // so that the sum over a channel is not a small rest
                            parameter(row, -1, 0),
                            parameter(row, 0.5, 2),
                            parameter(row, 0.5, 2),
                            parameter(row)},
                           {{s}, {s}, {row, true}, {row, true}},
                           [=](const Tensors& in, const Tensors& out) {
                             const BatchNorm b{in[0], in[2], in[3], in[4], in[5], activation};
                             on(in[0]).batch_norm(b, out[1]);
                             on(in[0]).batch_norm_grad_sums(b, in[1], out[2], out[3]);
                             on(in[0]).batch_norm_grad_input(b, in[1], out[2], out[3], training, out[0]);
                           },
                           {1}});
    }
  return cases;
}

std::vector<Case> classes() {
  std::vector<Case> cases;
  for (const int64_t c : kChannels) {
    const Shape s{2, 13, 27, c}, wider{2, 13, 27, 2 * c + 3};
    const int64_t part = (c + 1) / 2;
    cases.push_back({fmt::format("copy_channels {} of {} into {}", part, s, wider),
                     {{s}, {wider}},
                     {{s}},
                     [=](const Tensors& in, const Tensors& out) {
                       on(in[0]).copy_channels({in[0], c - part, part}, {in[1], c + 1, part});
                       on(in[0]).copy_channels({in[0], 0, c}, {out[0], 0, c});
                     },
                     {},
                     {1},
                     0});
    cases.push_back({fmt::format("softmax {}", s),
                     {{s, -30, 30}},
                     {{s}},
                     [](const Tensors& in, const Tensors& out) { on(in[0]).softmax(in[0], out[0]); },
                     {0}});
    cases.push_back(
        {fmt::format("softmax_grad {}", s), {{s}, {s, 0, 1}}, {{s}}, [](const Tensors& in, const Tensors& out) {
           on(in[0]).softmax_grad(in[0], in[1], out[0]);
         }});
    const Shape rows{2, 13, 27};
    const Input classes{.shape = rows, .low = 0, .high = double(c), .parameter = true};
    cases.push_back({fmt::format("cross_entropy {}", s),
                     {{s, -30, 30}, classes},
                     {{rows}},
                     [](const Tensors& in, const Tensors& out) {
                       on(in[0]).cross_entropy(in[0], cast(in[1], DType::i32), out[0]);
                     }});
    cases.push_back({fmt::format("cross_entropy_grad {}", s),
                     {{s, -30, 30}, classes},
                     {{s}},
                     [](const Tensors& in, const Tensors& out) {
                       on(in[0]).cross_entropy_grad(in[0], cast(in[1], DType::i32), out[0]);
                     },
                     {0}});
  }
  return cases;
}

std::vector<Case> updates() {
  std::vector<Case> cases;
  for (const int64_t n : kSizes)
    for (const double decay : {0.0, 0.1}) {
      cases.push_back({fmt::format("adam_step [{}] weight decay {}", n, decay),
                       {{{n}}, {{n}}, {{n}}, {{n}, 0, 1}},
                       {},
                       [=](const Tensors& in, const Tensors&) {
                         on(in[0]).adam_step({.learning_rate = 0.02, .weight_decay = decay, .step = 3}, in[0], in[1],
                                             in[2], in[3]);
                       },
                       {},
                       {1, 2, 3}});
      cases.push_back({fmt::format("sgd_step [{}] weight decay {}", n, decay),
                       {{{n}}, {{n}}, {{n}}},
                       {},
                       [=](const Tensors& in, const Tensors&) {
                         on(in[0]).sgd_step({.learning_rate = 0.02, .momentum = 0.9, .weight_decay = decay}, in[0],
                                            in[1], in[2]);
                       },
                       {},
                       {1, 2}});
    }
  return cases;
}

std::vector<Case> products() {
  struct Extents {
    int64_t m, n, k;
  };
  std::vector<Case> cases;
  for (const auto& [m, n, k] : {Extents{1, 1, 1},
                                {5, 3, 7},
                                {33, 7, 19},
                                {97, 33, 65},
                                {64, 64, 1},
                                {512, 1, 33},
                                {1, 512, 33},
                                {48, 70, 8},
                                {130, 16, 31},
                                {24, 200, 1600},
                                {130, 257, 300}})
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        cases.push_back(
            {fmt::format("matmul {} x {} x {}{}{}", m, n, k, ta ? " a transposed" : "", tb ? " b transposed" : ""),
             {{ta ? Shape{k, m} : Shape{m, k}}, {tb ? Shape{n, k} : Shape{k, n}}},
             {{{m, n}}},
             [z = MatmulShape{m, n, k, ta, tb}](const Tensors& in, const Tensors& out) {
               on(in[0]).matmul(z, in[0], in[1], out[0]);
             },
             {},
             {},
             2e-6,
             double(m * n * k)});
  return cases;
}

std::vector<Case> gaussian_filters() {
  constexpr int64_t kPoints = 73;
  std::vector<Case> cases;
  for (const GaussianKind kind : kGaussianKinds)
    for (const Normalisation normalisation : {Normalisation::row, Normalisation::symmetric})
      for (const auto& [dimensions, channels, scale] :
           {std::tuple{2, 1, 3.0}, {2, 2, 3.0}, {2, 11, 3.0}, {5, 1, 3.0}, {5, 2, 3.0}, {5, 11, 3.0}, {3, 2, 0.3}}) {
        const Shape image{2, kPoints, channels};
        cases.push_back({fmt::format("{} {} filter, {} dimensions, {} channels, {} deviations", name(kind),
                                     name(normalisation), dimensions, channels, scale),
                         {{{kPoints, dimensions}, -scale, scale}, {image}},
                         {{image}, {image}},
                         [=](const Tensors& in, const Tensors& out) {
                           const GaussianFilter filter(kind, normalisation, in[0]);
                           for (const int64_t n : {0, 1})
                             for (const bool transpose : {false, true})
                               filter.apply(n, transpose, in[1], out[transpose]);
                         }});
      }
  return cases;
}

}  // namespace kernel_cases
