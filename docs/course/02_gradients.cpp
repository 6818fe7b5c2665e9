/// Chapter 2: gradients, from one number to the walk over a graph.
#include <fmt/format.h>

#include <cmath>

#include "autograd/ops.h"

using namespace autograd;
using tensor::Device;

namespace {

/// A number that the gradient is wanted of.
Variable number(double value) { return Variable(Tensor::from<double>({value}, {1}, Device::reference), true); }

/// The nodes below `node`, each after those that it was made from.
void print_graph(const Node& node, int depth) {
  fmt::print("{:{}}{}\n", "", 2 * depth, node.op);
  for (const Edge& edge : node.inputs) print_graph(*edge.input, depth + 1);
}

}  // namespace

int main() {
  // L = (a b + c)^2 at a = 2, b = -3, c = 10.
  const Variable a = number(2), b = number(-3), c = number(10);
  const Variable inner = a * b + c;
  const Variable loss = inner * inner;
  fmt::print("L = (a b + c)^2 = {}\n", loss.value().item());
  print_graph(*loss.node(), 0);
  backward(loss);
  fmt::print("dL/da = {}, dL/db = {}, dL/dc = {}\n\n", a.grad().item(), b.grad().item(), c.grad().item());

  // Asked twice, gradients add up; and what was not reached has none.
  const Variable unused = number(1);
  backward(a * a);
  fmt::print("dL/da + d(a^2)/da = {}\n", a.grad().item());
  fmt::print("unused has a gradient: {}\n\n", unused.grad().defined());

  // One neuron: p = sigmoid(w x + bias), and the cross entropy of the truth t = 1.
  const Variable w = number(0.5), bias = number(-1), x(Tensor::from<double>({3}, {1}, Device::reference));
  const Variable p = sigmoid(w * x + bias);
  const double before = p.value().item();
  backward(binary_cross_entropy(p, Tensor::from<double>({1}, {1}, Device::reference)));
  fmt::print("p = {:.4f}\n", before);
  fmt::print("dL/dw = {:.4f}; by hand (p - t) x = {:.4f}\n", w.grad().item(), (before - 1) * 3);
  fmt::print("dL/dbias = {:.4f}; by hand p - t = {:.4f}\n\n", bias.grad().item(), before - 1);

  // A step downhill.
  const double rate = 0.5, z = (0.5 - rate * w.grad().item()) * 3 + (-1 - rate * bias.grad().item());
  fmt::print("after one step p = {:.4f}\n", 1 / (1 + std::exp(-z)));
}
