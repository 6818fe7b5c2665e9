/// Chapter 5: learning. A small network, two optimisers, and what the step size does.
#include <fmt/format.h>

#include <cmath>

#include "cris/report/svg_chart.h"
#include "docs/course/figure.h"
#include "nn/init.h"
#include "nn/optimizer.h"

using autograd::Variable;
using tensor::Device;
using tensor::DType;
using tensor::Tensor;

namespace {

/// 2 -> 12 -> 12 -> 1. A module lists its fields once; all else follows from that list.
struct Network : nn::Module {
  Variable w1, b1, w2, b2, w3, b3;
  explicit Network(uint64_t seed) {
    uint32_t stream = 0;
    for (auto [v, in, out] : {std::tuple{&w1, 2, 12}, {&w2, 12, 12}, {&w3, 12, 1}})
      *v = Variable(
          tensor::normal({seed, stream++, 0}, {in, out}, 0, std::sqrt(2.0 / in), DType::f64, Device::reference), true);
    for (auto [v, n] : {std::pair{&b1, 12}, {&b2, 12}, {&b3, 1}})
      *v = Variable(tensor::zeros({n}, DType::f64, Device::reference), true);
  }
  Variable operator()(const Variable& x) const {
    using namespace autograd;
    const Variable h1 = relu(matmul(x, w1) + b1), h2 = relu(matmul(h1, w2) + b2);
    return matmul(h2, w3) + b3;
  }
  void visit(nn::Visitor& v) override {
    v.parameter("w1", w1), v.parameter("b1", b1), v.parameter("w2", w2);
    v.parameter("b2", b2), v.parameter("w3", w3), v.parameter("b3", b3);
  }
};

/// The loss of each step.
std::vector<double> train(nn::OptimizerKind kind, double rate, double momentum, const Tensor& x, const Tensor& t) {
  Network network(1);
  const auto optimizer = nn::make_optimizer(network, {.kind = kind, .momentum = momentum});
  std::vector<double> losses;
  for (int step = 0; step < 200; ++step) {
    const Variable loss = autograd::binary_cross_entropy_with_logits(network(Variable(x)), t);
    losses.push_back(loss.value().item());
    network.zero_grad();
    autograd::backward(loss);
    optimizer->step(rate);
  }
  return losses;
}

}  // namespace

int main(int argc, char** argv) {
  // Is a point of the square inside the ring 0.4 < r < 0.8?
  const Tensor x = tensor::uniform({7, 0, 0}, {200, 2}, -1, 1, DType::f64, Device::reference);
  const std::vector<double> points = x.to_vector();
  std::vector<double> inside;
  for (size_t i = 0; i < 200; ++i) {
    const double r = std::hypot(points[2 * i], points[2 * i + 1]);
    inside.push_back(r > 0.4 && r < 0.8);
  }
  const Tensor t = Tensor::from(inside, {200, 1}, Device::reference);
  fmt::print("{:<22} {:>8} {:>8} {:>8} {:>8}\n", "optimiser, rate", "step 1", "20", "100", "200");
  std::vector<cris::Series> curves;
  const auto row = [&](const char* name, nn::OptimizerKind kind, double rate, double momentum) {
    const std::vector<double> l = train(kind, rate, momentum, x, t);
    fmt::print("{:<22} {:8.3f} {:8.3f} {:8.3f} {:8.3f}\n", name, l[0], l[19], l[99], l[199]);
    curves.push_back({name, {}});
    for (size_t i = 0; i < l.size(); i += 5) curves.back().points.emplace_back(i, l[i]);
  };
  row("SGD 0.1", nn::OptimizerKind::sgd, 0.1, 0);
  row("SGD 0.1, momentum 0.9", nn::OptimizerKind::sgd, 0.1, 0.9);
  row("Adam 0.001", nn::OptimizerKind::adam, 0.001, 0);
  row("Adam 0.01", nn::OptimizerKind::adam, 0.01, 0);
  course::save(argc, argv, "05-losses.svg", cris::to_svg({"Cross entropy over 200 steps", "step", "loss", curves}));
}
