/// The graph: what is recorded, what is kept for the backward pass, and the walk itself.
#include "autograd/variable.h"

#include <algorithm>
#include <atomic>
#include <unordered_set>

#include "tensor/plan/plan.h"

namespace autograd {

using tensor::check;

namespace {

std::atomic<uint64_t> next_order{1};
thread_local bool recording = true;
thread_local Observer observer;

std::shared_ptr<Node> make_node(const char* op, const Tensor& value, bool requires_grad) {
  auto node = std::make_shared<Node>();
  node->shape = value.shape();
  node->dtype = value.dtype();
  node->requires_grad = requires_grad;
  node->op = op;
  node->order = next_order.fetch_add(1, std::memory_order_relaxed);
  return node;
}

bool is_leaf(const Node& node) { return node.inputs.empty() && !node.walked; }

/// A value of so few bytes is held on a GPU: the launch that makes it again costs more.
constexpr int64_t kHeldOnCuda = 8 << 20;
bool worth_remaking(const Tensor& y) {
  const tensor::Device device = y.device() == tensor::Device::plan ? tensor::planned_device() : y.device();
  return device != tensor::Device::cuda || y.bytes() > kHeldOnCuda;
}

void observe(const Node& node, const Tensor& result, bool gradient) {
  if (observer) observer({node.op, result, gradient, node.order});
}

}  // namespace

/// How to make a value again, and a way to see whether it still lives. Holds no memory itself.
struct Remake {
  std::function<Tensor()> make;
  tensor::Shape shape;
  tensor::DType dtype = tensor::DType::f32;
  std::weak_ptr<tensor::Storage> living;
};

Node::~Node() {
  std::vector<Edge> pending = std::move(inputs);
  while (!pending.empty()) {
    Edge edge = std::move(pending.back());
    pending.pop_back();
    if (edge.input.use_count() != 1) continue;
    std::move(edge.input->inputs.begin(), edge.input->inputs.end(), std::back_inserter(pending));
    edge.input->inputs.clear();
  }
}

Variable::Variable(Tensor value, bool requires_grad) {
  check(value.defined(), "variable: the tensor is undefined");
  node_ = make_node("leaf", value, requires_grad);
  content_ = std::make_shared<Content>(Content{std::move(value), nullptr});
}

void Variable::set_requires_grad(bool on) {
  check(is_leaf(*node_), "set_requires_grad: {} {} is the result of an op, only leaves may change", node_->op, shape());
  node_->requires_grad = on;
}

void Variable::set_value(Tensor value) {
  check(is_leaf(*node_), "set_value: {} {} is the result of an op, only leaves may change", node_->op, shape());
  check(value.defined(), "set_value: the tensor is undefined");
  node_->grad = {};
  node_->shape = value.shape();
  node_->dtype = value.dtype();
  content_->value = std::move(value);
  content_->operand = {};
}

Variable Variable::detach() const { return Variable(value()); }

Saved::Saved(const Variable& v) : shape_(v.shape()) {
  if (v.content_->remake) {
    remake_ = v.content_->remake;
  } else {
    held_ = v.value();
  }
}

Tensor Saved::get() const {
  if (!remake_) return held_;
  if (auto storage = remake_->living.lock()) return Tensor(remake_->shape, remake_->dtype, std::move(storage));
  Tensor again = remake_->make();
  remake_->living = again.storage();
  return again;
}

Variable record(const char* op, Tensor value, std::vector<std::pair<Variable, Pull>> gradients,
                std::function<Tensor()> recompute) {
  Variable result;
  result.node_ = make_node(op, value, false);
  result.content_ = std::make_shared<Variable::Content>(Variable::Content{std::move(value), nullptr});
  Node& node = *result.node_;
  if (recording) {
    for (auto& [input, pull] : gradients)
      if (input.requires_grad()) node.inputs.push_back({input.node(), std::move(pull)});
    node.requires_grad = !node.inputs.empty();
    if (node.requires_grad && recompute && worth_remaking(result.value())) {
      const Tensor& y = result.value();
      result.content_->remake =
          std::make_shared<Remake>(Remake{std::move(recompute), y.shape(), y.dtype(), y.storage()});
    }
  }
  observe(node, result.value(), false);
  return result;
}

namespace {

/// Adds `g` to node.grad, in place where nobody else can see it.
void accumulate(Node& node, Tensor g, const char* op) {
  check(g.shape() == node.shape && g.dtype() == node.dtype, "backward: {} gave a gradient {} {} for its input {} {} {}",
        op, g.shape(), tensor::name(g.dtype()), node.op, node.shape, tensor::name(node.dtype));
  if (!node.grad.defined()) {
    node.grad = std::move(g);
  } else if (node.grad.unique()) {
    tensor::add_to(node.grad, g);
  } else if (g.unique()) {
    tensor::add_to(g, node.grad);
    node.grad = std::move(g);
  } else {
    node.grad = tensor::zip(tensor::Add{}, node.grad, g);
  }
}

/// Every node that `root` depends on and that needs a gradient, oldest first.
std::vector<std::shared_ptr<Node>> reachable(const std::shared_ptr<Node>& root) {
  std::vector<std::shared_ptr<Node>> nodes{root};
  std::unordered_set<const Node*> seen{root.get()};
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = *nodes[i];
    check(!node.walked, "backward: {} {} has been walked before; run the forward pass again", node.op, node.shape);
    for (const Edge& edge : node.inputs)
      if (seen.insert(edge.input.get()).second) nodes.push_back(edge.input);
  }
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a->order < b->order; });
  return nodes;
}

/// Hands the gradient of `node` to its inputs, releasing each formula as soon as it has run.
void pull_back(Node& node) {
  Tensor dy = std::move(node.grad);
  node.grad = {};
  std::vector<Edge> edges = std::move(node.inputs);
  node.inputs.clear();
  for (size_t i = 0; i < edges.size(); ++i) {
    Edge edge = std::move(edges[i]);
    const bool last = i + 1 == edges.size();
    Tensor g = edge.pull(last ? std::move(dy) : dy);
    edge.pull = {};
    accumulate(*edge.input, std::move(g), node.op);
  }
}

}  // namespace

void backward(const Variable& y, const Tensor& cotangent) {
  check(y.requires_grad(),
        "backward: nothing that this value depends on requires a gradient (or it was made under NoGrad)");
  check(cotangent.shape() == y.shape(), "backward: cotangent {} for a value {}", cotangent.shape(), y.shape());
  auto nodes = reachable(y.node());
  std::vector<std::shared_ptr<Node>> leaves;
  for (const auto& node : nodes)
    if (!node->inputs.empty()) node->walked = true;
  accumulate(*y.node(), cotangent, "backward");
  while (!nodes.empty()) {
    const std::shared_ptr<Node> node = std::move(nodes.back());
    nodes.pop_back();
    if (!node->grad.defined()) continue;
    observe(*node, node->grad, true);
    if (node->walked) {
      pull_back(*node);
    } else {
      leaves.push_back(node);
    }
  }
  // Leaves' gradients outlive the walk and may be changed in place (clipping): none may share its memory.
  for (const auto& leaf : leaves)
    if (!leaf->grad.unique()) leaf->grad = leaf->grad.clone();
}

void backward(const Variable& loss) {
  check(loss.defined(), "backward: the loss is undefined");
  backward(loss, tensor::full_like(loss.value(), 1));
}

NoGrad::NoGrad() : before_(recording) { recording = false; }
NoGrad::~NoGrad() { recording = before_; }
bool grad_enabled() { return recording; }

Observer set_observer(Observer next) { return std::exchange(observer, std::move(next)); }

}  // namespace autograd
