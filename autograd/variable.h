/// Variable: a Tensor plus the node that made it. record() writes the graph, backward() walks it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "tensor/ops.h"

namespace autograd {

using tensor::Tensor;

/// Gradient of the result -> gradient of one input. A formula that finds `dy` unique may overwrite it.
using Pull = std::function<Tensor(Tensor dy)>;

struct Node;
struct Remake;

/// One recorded input: the node it came from and its gradient formula.
struct Edge {
  std::shared_ptr<Node> input;
  Pull pull;
};

/// One step of the graph. It holds no value: a value lives as long as a Variable or a formula needs it.
struct Node {
  tensor::Shape shape;
  tensor::DType dtype = tensor::DType::f32;
  Tensor grad;
  bool requires_grad = false;
  bool walked = false;  ///< backward() has used and released its inputs
  const char* op = "leaf";
  uint64_t order = 0;        ///< creation order, which is a topological order
  std::vector<Edge> inputs;  ///< only those that need a gradient
  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// Releases its ancestors one by one, so that a deep graph does not exhaust the stack.
  ~Node();
};

class Variable {
 public:
  Variable() = default;
  /// A leaf: a constant, or a parameter when `requires_grad`.
  explicit Variable(Tensor value, bool requires_grad = false);
  bool defined() const { return node_ != nullptr; }
  const Tensor& value() const { return content_->value; }
  /// What a convolution reads: the value, or its copy in the images' type while one is set (nn/precision.h).
  const Tensor& operand() const { return content_->operand.defined() ? content_->operand : content_->value; }
  void set_operand(Tensor copy) const { content_->operand = std::move(copy); }
  const tensor::Shape& shape() const { return node_->shape; }
  /// After backward(): dL/d(this) for leaves that require a gradient and were reached; undefined otherwise.
  const Tensor& grad() const { return node_->grad; }
  bool requires_grad() const { return node_ && node_->requires_grad; }
  /// Throws when this is the result of an op.
  void set_requires_grad(bool on);
  /// Replaces a leaf's value (a checkpoint, another device); the gradient is dropped. Throws when this is the result of
  /// an op.
  void set_value(Tensor value);
  /// Drops the gradient: absent, not zero.
  void zero_grad() { node_->grad = {}; }
  /// The same value, cut off from the graph.
  Variable detach() const;
  const std::shared_ptr<Node>& node() const { return node_; }

 private:
  friend class Saved;
  friend Variable record(const char*, Tensor, std::vector<std::pair<Variable, Pull>>, std::function<Tensor()>);
  struct Content {
    Tensor value;
    std::shared_ptr<Remake> remake;
    Tensor operand = {};
  };
  std::shared_ptr<Node> node_;
  std::shared_ptr<Content> content_;  // shared by copies of the Variable, not by the graph
};

/// What a gradient formula keeps of a value. A value that is cheap to make again (batch norm + ReLU, concatenation) is
/// not held: once nothing else holds it, its memory is free, and get() makes it again during backward().
class Saved {
 public:
  Saved() = default;
  explicit Saved(const Variable& v);
  Saved(Tensor t) : shape_(t.shape()), held_(std::move(t)) {}  // NOLINT: a tensor is kept as it is
  /// The value: the living tensor, or the same bits made again.
  Tensor get() const;
  const tensor::Shape& shape() const { return shape_; }

 private:
  tensor::Shape shape_;
  Tensor held_;
  std::shared_ptr<Remake> remake_;
};

/// Records `value` as the result of `op`. Formulas of inputs that need no gradient are dropped with all they captured;
/// the formula that profits from overwriting dy, or that needs the most memory, comes last. `recompute`, when given,
/// must return the same bits as `value`, capturing only Saved inputs; a GPU holds small values all the same.
Variable record(const char* op, Tensor value, std::vector<std::pair<Variable, Pull>> gradients,
                std::function<Tensor()> recompute = {});

/// Adds to every reachable leaf's grad dL/d(leaf), L the sum of `loss`. Newest node first; a node's inputs and gradient
/// are released as soon as they are used, so a graph can be walked once. Throws when `loss` requires no gradient, or
/// has been walked before.
void backward(const Variable& loss);
/// The same for L = sum(y * cotangent).
void backward(const Variable& y, const Tensor& cotangent);

/// While one lives, record() keeps no graph on this thread.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};
bool grad_enabled();

/// What an observer is told: a result as soon as it is recorded, or a node's whole gradient before its formulas run.
struct Observed {
  const char* op;
  const Tensor& result;
  bool gradient;
  uint64_t order;  ///< the node's, so that a gradient finds its result
};

/// Told of each recorded op and each gradient when set. The non-finite guard and the trace hang here. Thread-local.
using Observer = std::function<void(const Observed&)>;
/// Sets this thread's observer ({} for none) and returns the one before.
Observer set_observer(Observer observer);

}  // namespace autograd
