/// The table of kernel cases, on awkward shapes.
#include "kernel_cases.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>

#include "tensor/gaussian/gaussian_filter.h"

namespace kernel_cases {

double relative_error(const Tensor& got, const Tensor& want) {
  const std::vector<double> a = got.to_vector(), b = want.to_vector();
  double error = 0, scale = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    error += (a[i] - b[i]) * (a[i] - b[i]);
    scale += b[i] * b[i];
  }
  return std::sqrt(error) / std::max(std::sqrt(scale), 1e-30);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const Tensor x = a.to(Device::reference), y = b.to(Device::reference);
  return std::memcmp(x.raw(), y.raw(), size_t(x.bytes())) == 0;
}

Inputs make_inputs(const Case& c, Device device, DType images) {
  Inputs in;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const Tensor x = uniform({.seed = 7, .stream = uint32_t(i)}, c.inputs[i], -1, 1, DType::f32, Device::reference);
    in.given.push_back(cast(x.to(device), c.parameters.contains(i) ? DType::f32 : images));
    in.f64.push_back(cast(cast(in.given.back(), DType::f32).to(Device::reference), DType::f64));
  }
  return in;
}

namespace {

std::string named(const char* kernel, const Shape& s) { return fmt::format("{} {}", kernel, s); }

}  // namespace

std::vector<Case> elementwise(const std::vector<Shape>& shapes) {
  std::vector<Case> cases;
  const std::vector<MapOp> maps = {Affine{2.5, -0.25}, Relu{}, Sigmoid{}, Exp{}, Threshold{0.1}};
  const std::vector<ZipOp> zips = {Add{},
                                   Subtract{},
                                   Multiply{},
                                   ReluGrad{},
                                   SigmoidGrad{},
                                   SquaredDifference{},
                                   BinaryCrossEntropyWithLogits{},
                                   BinaryCrossEntropyWithLogitsGrad{}};
  for (const Shape& s : shapes) {
    for (const MapOp& op : maps)
      cases.push_back({named("map", s), {s}, [=](const Tensors& in) { return Tensors{map(op, in[0])}; }});
    cases.push_back({named("log", s), {s}, [](const Tensors& in) {
                       return Tensors{map(Log{}, map(Affine{.scale = 0.4, .shift = 0.5}, in[0]))};
                     }});
    for (const ZipOp& op : zips) {
      cases.push_back({named("zip", s), {s, s}, [=](const Tensors& in) { return Tensors{zip(op, in[0], in[1])}; }});
      cases.push_back(
          {named("zip row", s), {s, {s[-1]}}, [=](const Tensors& in) { return Tensors{zip(op, in[0], in[1])}; }});
      cases.push_back(
          {named("zip scalar", s), {s, {1}}, [=](const Tensors& in) { return Tensors{zip(op, in[0], in[1])}; }});
    }
    cases.push_back({named("cross entropy", s), {s, s}, [](const Tensors& in) {
                       const Tensor p = map(Affine{.scale = 0.45, .shift = 0.5}, in[0]);
                       return Tensors{zip(BinaryCrossEntropy{}, p, in[1]), zip(BinaryCrossEntropyGrad{}, p, in[1])};
                     }});
  }
  return cases;
}

std::vector<Case> random(const std::vector<int64_t>& sizes) {
  const RandomKey key{.seed = 0x123456789abcull, .stream = 4, .step = 9};
  std::vector<Case> cases;
  for (const int64_t n : sizes) {
    cases.push_back({fmt::format("uniform {}", n), {{n}}, [=](const Tensors& in) {
                       return Tensors{uniform(key, {n}, 0, 1, in[0].dtype(), in[0].device())};
                     }});
    cases.push_back({fmt::format("normal {}", n), {{n}}, [=](const Tensors& in) {
                       return Tensors{normal(key, {n}, 1, 2, in[0].dtype(), in[0].device())};
                     }});
    for (const double p : {0.0, 0.25, 0.5, 0.9})
      cases.push_back({fmt::format("dropout {} {}", n, p), {{n}}, [=](const Tensors& in) {
                         return Tensors{dropout(key, p, in[0])};
                       }});
  }
  return cases;
}

std::vector<Case> sums_and_norms(const std::vector<int64_t>& channels) {
  std::vector<Case> cases;
  for (const int64_t c : channels)
    for (const Shape& s : {Shape{1, 1, 2, c}, Shape{3, 5, 7, c}, Shape{2, 61, 53, c}}) {
      cases.push_back({named("sum", s), {s}, [](const Tensors& in) {
                         const Tensor x = map(Affine{.scale = 1, .shift = 1.5}, in[0]);
                         return Tensors{sum(x), sum_to_last(x)};
                       }});
      cases.push_back({named("statistics", s), {s}, [](const Tensors& in) {
                         const Statistics z = batch_norm_statistics(in[0]);
                         return Tensors{z.mean, z.variance};
                       }});
      for (const Activation activation : {Activation::none, Activation::relu})
        for (const bool training : {true, false})
          cases.push_back({named("batch_norm", s),
                           {s, s, {c}, {c}, {c}, {c}},
                           [=](const Tensors& in) {
                             const Tensor rstd = map(Affine{.scale = 0.5, .shift = 1}, in[3]);
                             const BatchNorm b{in[0], in[2], rstd, in[4], in[5], activation};
                             const BatchNormGradients d = batch_norm_grad(b, in[1], training);
                             return Tensors{batch_norm(b), d.dx, d.dgamma, d.dbeta};
                           },
                           {2, 3, 4, 5}});
    }
  return cases;
}

std::vector<Case> pooling(const std::vector<int64_t>& channels) {
  std::vector<Case> cases;
  for (const int64_t c : channels)
    for (const auto& [kernel, stride] : {std::pair{2, 2}, {3, 2}, {3, 3}, {2, 3}, {2, 1}, {5, 2}})
      for (const Shape& s : {Shape{1, 5, 5, c}, Shape{2, 9, 12, c}, Shape{1, 38, 31, c}}) {
        const int64_t k = kernel, step = stride;
        const PoolShape z = pool_shape(s, k, step);
        const Shape pooled{z.n, z.p, z.q, z.c};
        cases.push_back({fmt::format("pool {} kernel {} stride {}", s, k, step), {s, pooled}, [=](const Tensors& in) {
                           const Pooled y = max_pool(in[0], k, step);
                           return Tensors{y.y, y.index, max_pool_grad(in[1], y.index, s, k, step),
                                          max_unpool(in[1], y.index, s, k, step),
                                          max_unpool_grad(in[0], y.index, k, step)};
                         }});
      }
  return cases;
}

std::vector<Case> resizing(const std::vector<int64_t>& channels) {
  std::vector<Case> cases;
  for (const int64_t c : channels)
    for (const ResizeMode mode : {ResizeMode::nearest, ResizeMode::bilinear_corners, ResizeMode::bilinear_centers})
      for (const auto& [from, to] : {std::pair{Shape{1, 1, 1, c}, Shape{1, 4, 3, c}},
                                     {Shape{2, 5, 7, c}, Shape{2, 10, 14, c}},
                                     {Shape{1, 33, 20, c}, Shape{1, 66, 40, c}},
                                     {Shape{1, 9, 8, c}, Shape{1, 4, 1, c}}}) {
        const Shape x = from, y = to;
        cases.push_back({fmt::format("resize {} to {}", x, y), {x, y}, [=](const Tensors& in) {
                           return Tensors{resize(in[0], y[1], y[2], mode), resize_grad(in[1], x, mode)};
                         }});
      }
  return cases;
}

std::vector<Case> classes(const std::vector<int64_t>& counts) {
  std::vector<Case> cases;
  for (const int64_t c : counts) {
    const Shape s{2, 13, 27, c}, wider{2, 13, 27, c + 5};
    cases.push_back({named("concat", s), {s, wider}, [=](const Tensors& in) {
                       const Tensor y = concat({in[0], in[1], in[0]});
                       return Tensors{y, channels(y, c / 2, c + 3)};
                     }});
    cases.push_back({named("softmax", s), {s, s}, [](const Tensors& in) {
                       const Tensor y = softmax(map(Affine{.scale = 8, .shift = 0}, in[0]));
                       return Tensors{y, softmax_grad(in[1], y)};
                     }});
  }
  return cases;
}

std::vector<Case> updates(const std::vector<int64_t>& sizes) {
  std::vector<Case> cases;
  for (const int64_t n : sizes) {
    cases.push_back({fmt::format("adam {}", n), {{n}, {n}, {n}, {n}}, [](const Tensors& in) {
                       const Tensor w = in[1].clone(), m = in[2].clone(), v = zip(Multiply{}, in[3], in[3]);
                       adam_step({.learning_rate = 0.02, .weight_decay = 0.1, .step = 3}, in[0], w, m, v);
                       return Tensors{w, m, v};
                     }});
    cases.push_back({fmt::format("sgd {}", n), {{n}, {n}, {n}}, [](const Tensors& in) {
                       const Tensor w = in[1].clone(), velocity = in[2].clone();
                       sgd_step({.learning_rate = 0.02, .momentum = 0.9, .weight_decay = 0.1}, in[0], w, velocity);
                       return Tensors{w, velocity};
                     }});
  }
  return cases;
}

std::vector<Case> products() {
  std::vector<Case> cases;
  for (const bool ta : {false, true})
    for (const bool tb : {false, true})
      cases.push_back({fmt::format("matmul {} {}", ta, tb),
                       {ta ? Shape{19, 33} : Shape{33, 19}, tb ? Shape{7, 19} : Shape{19, 7}},
                       [=](const Tensors& in) { return Tensors{matmul(in[0], in[1], ta, tb)}; }});
  struct Convolution {
    Shape x, w;
    ConvOptions options;
  };
  for (const Convolution& c : {Convolution{{1, 1, 1, 1}, {1, 1, 1, 1}, {}},
                               {{2, 9, 7, 3}, {16, 3, 3, 3}, {.stride = 1, .padding = 1}},
                               {{2, 8, 9, 5}, {7, 3, 3, 5}, {.stride = 2, .padding = 1}},
                               {{1, 12, 11, 16}, {65, 3, 3, 16}, {.padding = 1}},
                               {{3, 6, 5, 17}, {4, 1, 1, 17}, {}},
                               {{1, 8, 8, 8}, {12, 2, 2, 8}, {.stride = 2}},
                               {{1, 11, 13, 4}, {1, 5, 5, 4}, {.stride = 1, .padding = 2}},
                               {{2, 7, 7, 33}, {33, 3, 3, 33}, {}},
                               {{1, 12, 11, 16}, {68, 3, 3, 16}, {.padding = 1}},
                               {{3, 7, 9, 36}, {132, 1, 1, 36}, {}},
                               {{2, 3, 2, 128}, {8, 3, 3, 128}, {.padding = 1}},
                               {{2, 21, 18, 4}, {12, 5, 5, 4}, {.stride = 1, .padding = 1}},
                               {{1, 17, 15, 8}, {20, 3, 3, 8}, {.stride = 2, .padding = 1}},
                               {{1, 12, 11, 16}, {72, 3, 3, 16}, {.padding = 1}},
                               {{3, 7, 9, 40}, {136, 1, 1, 40}, {}},
                               {{2, 21, 18, 8}, {16, 5, 5, 8}, {.stride = 1, .padding = 1}},
                               {{1, 17, 15, 8}, {24, 3, 3, 8}, {.stride = 2, .padding = 1}},
                               {{2, 10, 14, 24}, {48, 2, 2, 24}, {.stride = 2}},
                               {{1, 6, 9, 8}, {512, 3, 3, 8}, {.stride = 3}}}) {
    const ConvShape z = conv_shape(c.x, c.w, c.options);
    cases.push_back({fmt::format("conv2d {} by {} stride {} padding {}", c.x, c.w, c.options.stride, c.options.padding),
                     {c.x, c.w, {z.k}, {z.n, z.p, z.q, z.k}, {z.c}},
                     [=](const Tensors& in) {
                       return Tensors{conv2d(in[0], in[1], in[2], c.options, Activation::relu),
                                      conv2d(in[0], in[1], {}, c.options),
                                      conv2d_grad_input(in[3], in[1], c.x, c.options),
                                      conv2d_grad_input(in[3], in[1], c.x, c.options, in[4]),
                                      conv2d_grad_weight(in[3], in[0], c.w, c.options)};
                     },
                     {1, 2, 4}});
  }
  return cases;
}

std::vector<Case> gaussian_filters() {
  std::vector<Case> cases;
  for (const GaussianKind kind : kGaussianKinds)
    for (const Normalisation normalisation : {Normalisation::row, Normalisation::symmetric})
      for (const auto& [dimensions, channels, scale] :
           {std::tuple{2, 1, 3.0}, {2, 2, 3.0}, {2, 11, 3.0}, {5, 1, 3.0}, {5, 2, 3.0}, {5, 11, 3.0}, {3, 2, 0.3}}) {
        const int64_t points = 73;
        cases.push_back({fmt::format("{} {} filter, {} dimensions, {} channels, {} deviations", name(kind),
                                     name(normalisation), dimensions, channels, scale),
                         {{points, dimensions}, {2, points, channels}},
                         [=, scale = scale](const Tensors& in) {
                           const GaussianFilter filter(kind, normalisation,
                                                       map(Affine{.scale = scale, .shift = 0}, in[0]));
                           const Tensor y = full_like(in[1], 0), transposed = full_like(in[1], 0);
                           for (const int64_t image : {0, 1}) {
                             filter.apply(image, false, in[1], y);
                             filter.apply(image, true, in[1], transposed);
                           }
                           return Tensors{y, transposed};
                         }});
      }
  return cases;
}

}  // namespace kernel_cases
