/// The mean-field CRF: a filter with its transpose as gradient, and the recursion composed from it.
#include "autograd/ops.h"

#include <algorithm>

namespace autograd {
namespace {

Tensor filtered(const Filters& filters, bool transpose, const Tensor& x) {
  const tensor::Shape& s = x.shape();
  const Tensor batch = x.reshape({s[0], s[1] * s[2], s[3]});
  const Tensor y(batch.shape(), x.dtype(), x.device());
  tensor::apply_each(filters, transpose, batch, y);
  return y.reshape(s);
}

/// a [M,K] times the transpose of b [N,K].
Variable matmul_transposed(const Variable& a, const Variable& b) {
  const Saved sa(a), sb(b);
  return record("matmul_transposed", tensor::matmul(a.value(), b.value(), false, true),
                {{a, [sb](const Tensor& dy) { return tensor::matmul(dy, sb.get()); }},
                 {b, [sa](const Tensor& dy) { return tensor::matmul(dy, sa.get(), true, false); }}});
}

Variable constant(const std::vector<double>& values, const tensor::Shape& shape, const Tensor& like) {
  return Variable(tensor::cast(Tensor::from(values, shape, like.device()), like.dtype()));
}

/// L labels: C (W_s S + W_b B) = (C W_s) S + (C W_b) B, so that each iteration needs two small products.
Variable mean_field_labels(const Variable& unary, const Filters& spatial, const Filters& bilateral,
                           const Variable& spatial_gain, const Variable& bilateral_gain, int iterations) {
  const tensor::Shape& s = unary.shape();
  const int64_t pixels = s[0] * s[1] * s[2], labels = s[3];
  auto message = [&](const Variable& probability, const Filters& filters, const Variable& gain) {
    return reshape(matmul_transposed(reshape(gaussian_filter(probability, filters), {pixels, labels}), gain), s);
  };
  Variable q = unary;
  for (int t = 0; t < iterations; ++t) {
    const Variable probability = softmax(q);
    q = subtract(unary,
                 add(message(probability, spatial, spatial_gain), message(probability, bilateral, bilateral_gain)));
  }
  return q;
}

/// The part of q_1 - q_0 that one filter F adds: with g = (row 1 - row 0) of its gain, and Q_0 = 1 - Q_1,
/// -(g_0 F(Q_0) + g_1 F(Q_1)) = slope F(Q_1) + offset, slope = g_0 - g_1, offset = -g_0 F(1). Where F keeps constants
/// the offset is one number.
struct BinaryMessage {
  Variable slope, offset;
  BinaryMessage(const Variable& gain, const Filters& filters, const tensor::Shape& s) {
    const Tensor& like = gain.value();
    const Variable g = matmul(constant({-1, 1}, {1, 2}, like), gain);
    slope = reshape(matmul(g, constant({1, -1}, {2, 1}, like)), {1});
    offset = reshape(matmul(g, constant({-1, 0}, {2, 1}, like)), {1});
    if (std::all_of(filters.begin(), filters.end(), [](const auto& f) { return f->keeps_constants(); })) return;
    offset = multiply(Variable(filtered(filters, false, tensor::full(s, 1, like.dtype(), like.device()))), offset);
  }
};

Variable mean_field_binary(const Variable& unary, const Filters& spatial, const Filters& bilateral,
                           const Variable& spatial_gain, const Variable& bilateral_gain, int iterations) {
  const BinaryMessage near(spatial_gain, spatial, unary.shape()), alike(bilateral_gain, bilateral, unary.shape());
  const Variable base = add(add(unary, near.offset), alike.offset);
  Variable s = unary;
  for (int t = 0; t < iterations; ++t) {
    const Variable probability = sigmoid(s);
    s = add(base, add(multiply(gaussian_filter(probability, spatial), near.slope),
                      multiply(gaussian_filter(probability, bilateral), alike.slope)));
  }
  return s;
}

}  // namespace

Variable gaussian_filter(const Variable& x, const Filters& filters) {
  const tensor::Shape& s = x.shape();
  tensor::check(s.rank() == 4, "gaussian_filter: x {} must be [N, H, W, C]", s);
  tensor::check(int64_t(filters.size()) == s[0], "gaussian_filter: {} filters for the {} images of x {}",
                filters.size(), s[0], s);
  return record("gaussian_filter", filtered(filters, false, x.value()),
                {{x, [filters](const Tensor& dy) { return filtered(filters, true, dy); }}});
}

Variable mean_field(const Variable& logits, const Filters& spatial, const Filters& bilateral,
                    const Variable& spatial_weight, const Variable& bilateral_weight, const Variable& compatibility,
                    int iterations) {
  const tensor::Shape& s = logits.shape();
  tensor::check(s.rank() == 4 && s[3] >= 1, "mean_field: logits {} must be [N, H, W, labels]", s);
  const int64_t labels = s[3] == 1 ? 2 : s[3];
  for (const Variable* w : {&spatial_weight, &bilateral_weight, &compatibility})
    tensor::check(w->shape() == tensor::Shape{labels, labels}, "mean_field: weight {} must be [{}, {}] for logits {}",
                  w->shape(), labels, labels, s);
  tensor::check(iterations >= 1, "mean_field: {} iterations; at least 1 is needed", iterations);
  const Variable spatial_gain = matmul(compatibility, spatial_weight);
  const Variable bilateral_gain = matmul(compatibility, bilateral_weight);
  return (s[3] == 1 ? mean_field_binary : mean_field_labels)(logits, spatial, bilateral, spatial_gain, bilateral_gain,
                                                             iterations);
}

}  // namespace autograd
