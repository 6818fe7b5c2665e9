/// The layers of the refiner, and the two starts in which it already answers with its mask.
#include "cris/refiner.h"

#include <cmath>

#include "nn/precision.h"

namespace cris {

namespace {

const RefinerOptions& checked(const RefinerOptions& o) {
  tensor::check(o.channels > 0, "refiner: {} channels; at least 1 is needed", o.channels);
  tensor::check(!o.kernels.empty(), "refiner: no kernels; at least one is needed, for the output");
  for (const int64_t k : o.kernels)
    tensor::check(k > 0 && k % 2 == 1, "refiner: kernel {}: kernels must be odd, so that maps keep their size", k);
  return o;
}

nn::ConvLayerOptions same_size(int64_t in, int64_t out, int64_t kernel) {
  return {.in = in, .out = out, .kernel = kernel, .padding = kernel / 2, .activation = tensor::Activation::relu};
}

void set(Variable& v, const std::vector<double>& values) {
  const tensor::Tensor& now = v.value();
  v.set_value(tensor::cast(tensor::Tensor::from(values, now.shape(), now.device()), now.dtype()));
}

/// Adds value(k, c) to the middle tap of the weight from channel c to channel k.
template <class Value>
void add_at_centre(nn::Conv2d& layer, Value value) {
  const tensor::Shape s = layer.weight.value().shape();
  std::vector<double> weight = layer.weight.value().to_vector();
  for (int64_t k = 0; k < s[0]; ++k)
    for (int64_t c = 0; c < s[3]; ++c)
      weight[size_t(((k * s[1] + s[1] / 2) * s[2] + s[2] / 2) * s[3] + c)] += value(k, c);
  set(layer.weight, weight);
}

void clear(Variable& v) { v.set_value(tensor::full_like(v.value(), 0)); }

}  // namespace

Refiner::Refiner(const RefinerOptions& o)
    : options(checked(o)),
      expand_(same_size(1, o.channels, 1)),
      head_({.in = o.channels,
             .out = 1,
             .kernel = o.kernels.back(),
             .padding = o.kernels.back() / 2,
             .before_relu = false}) {
  for (size_t i = 0; i < o.kernels.size(); ++i) dropout_.emplace_back(o.dropout);
  for (size_t i = 0; i + 1 < o.kernels.size(); ++i) conv_.emplace_back(same_size(o.channels, o.channels, o.kernels[i]));
}

Variable Refiner::operator()(Variable x) const {
  x = expand_(x);
  x = dropout_[0](x);
  for (size_t i = 0; i < conv_.size(); ++i) {
    x = conv_[i](x);
    x = dropout_[i + 1](x);
  }
  return head_(x);
}

void Refiner::visit(nn::Visitor& v) {
  v.module("expand", expand_);
  for (size_t i = 0; i < conv_.size(); ++i) v.module(fmt::format("conv.{}", i), conv_[i]);
  for (size_t i = 0; i < dropout_.size(); ++i) v.module(fmt::format("dropout.{}", i), dropout_[i]);
  v.module("head", head_);
}

void Refiner::initialize(const nn::Initializer& /*init*/, const std::string& /*path*/) {
  if (options.init == RefinerStart::identity) begin_as_identity();
  if (options.init == RefinerStart::copy) begin_as_copy();
}

void Refiner::begin_as_identity() {
  constexpr double kLogit = 2;
  add_at_centre(expand_, [](int64_t, int64_t) { return 1.0; });
  for (nn::Conv2d& c : conv_) add_at_centre(c, [](int64_t k, int64_t from) { return k == from ? 1.0 : 0.0; });
  add_at_centre(head_, [&](int64_t, int64_t) { return 2 * kLogit / double(options.channels); });
  set(head_.bias, {head_.bias.value().item() - kLogit});
}

/// Even channels carry g p, odd ones g (1 - p), and the head makes the logit kSlope (p - 1/2) of their difference.
///
/// The first batches ask for a darker output, and Adam then moves every weight by the learning rate, whatever its size.
/// (1) If all channels rise with p, every weight falls, and the slope with the level. Beside a channel of 1 - p, a
/// smaller weight from either lowers the level alone. (2) The rate times the n weights behind an output moves it by as
/// much as a path of weight 1 carries. So the path's weight in each layer is proportional to the layer's n: a step
/// changes the same share of it everywhere, the least that is possible for this slope.
void Refiner::begin_as_copy() {
  tensor::check(options.channels > 1,
                "refiner: 1 channel leaves none for the mask's complement; use 2 or more, or init = identity or draw");
  constexpr double kSlope = 8;
  const auto summands = [](const nn::Conv2d& l) { return double(l.options.in * l.options.kernel * l.options.kernel); };
  double product = summands(expand_) * summands(head_);
  for (const nn::Conv2d& c : conv_) product *= summands(c);
  const double share = std::pow(kSlope / product, 1 / double(conv_.size() + 2));

  const auto rises = [](int64_t channel) { return channel % 2 == 0; };
  const double first = share * summands(expand_), last = share * summands(head_);
  std::vector<double> level;
  for (int64_t c = 0; c < options.channels; ++c) level.push_back(rises(c) ? 0 : first);
  clear(expand_.weight);
  add_at_centre(expand_, [&](int64_t k, int64_t) { return rises(k) ? first : -first; });
  set(expand_.bias, level);
  // The draw stays in these, or all channels that rise would be one.
  for (nn::Conv2d& c : conv_)
    add_at_centre(c, [&](int64_t k, int64_t from) { return k == from ? share * summands(c) : 0.0; });
  const auto falling = double(options.channels / 2), rising = double(options.channels) - falling;
  clear(head_.weight);
  clear(head_.bias);
  add_at_centre(head_, [&](int64_t, int64_t c) { return rises(c) ? last / (2 * rising) : -last / (2 * falling); });
}

std::vector<double> Refiner::response(const std::vector<double>& p) {
  int64_t side = 1;
  for (const int64_t k : options.kernels) side += k - 1;  // the middle pixel sees the whole map and no padding
  const tensor::Tensor& like = head_.weight.value();
  std::vector<double> maps;
  for (const double value : p) maps.insert(maps.end(), size_t(side * side), value);
  const tensor::Tensor x = tensor::Tensor::from(maps, {int64_t(p.size()), side, side, 1}, like.device());
  const autograd::NoGrad no_graph;
  const bool training = this->training();
  train(false);
  const Variable logits = nn::from_activations((*this)(nn::to_activations(Variable(tensor::cast(x, like.dtype())))));
  train(training);
  const std::vector<double> all = autograd::sigmoid(logits).value().to_vector();
  std::vector<double> f;
  for (size_t i = 0; i < p.size(); ++i)
    f.push_back(all[(i * size_t(side) + size_t(side / 2)) * size_t(side) + size_t(side / 2)]);
  return f;
}

}  // namespace cris
