/// Batch normalisation: every tensor is read once; sums are f32 within a block of 64 rows and f64 beyond.
/// x, y, dy, dx: [pixels][C], read as wide rows [rows][width] (wide_rows.h); parameters [C], repeated to [width] lanes.
#include <cmath>

#include "tensor/backend.h"
#include "tensor/cpu/past_caches.h"
#include "tensor/cpu/wide_rows.h"

namespace tensor::cpu {
namespace {

/// first += x - pivot, second += (x - pivot)^2.
template <int kRows>
void add_moments(const float* __restrict x, int64_t width, int64_t length, const float* __restrict pivot,
                 float* __restrict first, float* __restrict second) {
  for (int64_t l = 0; l < length; ++l) {
    float d = x[l] - pivot[l], s = d, s2 = d * d;
    for (int r = 1; r < kRows; ++r) {
      d = x[r * width + l] - pivot[l];
      s += d;
      s2 += d * d;
    }
    first[l] += s;
    second[l] += s2;
  }
}

/// The parameters of one batch norm, a value per lane.
struct LaneParameters {
  std::vector<float> mean, rstd, gamma, beta;
  LaneParameters(const WideRows& z, const BatchNorm& b)
      : mean(z.repeat(b.mean.data<float>())),
        rstd(z.repeat(b.rstd.data<float>())),
        gamma(z.repeat(b.gamma.data<float>())),
        beta(z.repeat(b.beta.data<float>())) {}
};

/// kPast: y is stored past the caches, whole vectors from an aligned place on.
template <bool kRelu, bool kPast>
void normalise_row(const float* __restrict x, int64_t length, const LaneParameters& lane, float* __restrict y) {
  const float* __restrict mean = lane.mean.data();
  const float* __restrict rstd = lane.rstd.data();
  const float* __restrict gamma = lane.gamma.data();
  const float* __restrict beta = lane.beta.data();
  int64_t l = 0;
  if constexpr (kPast)
    for (; l + kLanes <= length; l += kLanes) {
      const Vec v = load(gamma + l) * ((load(x + l) - load(mean + l)) * load(rstd + l)) + load(beta + l);
      store_past_caches(y + l, kRelu ? relu(v) : v);
    }
  for (; l < length; ++l) {
    const float v = gamma[l] * ((x[l] - mean[l]) * rstd[l]) + beta[l];
    y[l] = kRelu && v < 0 ? 0.0f : v;
  }
}

/// dgamma += dz xhat, dbeta += dz.
template <bool kRelu, int kRows>
void add_gradients(const float* __restrict x, const float* __restrict dy, int64_t width, int64_t length,
                   const LaneParameters& lane, float* __restrict dgamma, float* __restrict dbeta) {
  const float* __restrict mean = lane.mean.data();
  const float* __restrict rstd = lane.rstd.data();
  const float* __restrict gamma = lane.gamma.data();
  const float* __restrict beta = lane.beta.data();
  for (int64_t l = 0; l < length; ++l) {
    float g = 0, b = 0;
    for (int r = 0; r < kRows; ++r) {
      const float xhat = (x[r * width + l] - mean[l]) * rstd[l], through = dy[r * width + l];
      const float dz = !kRelu || gamma[l] * xhat + beta[l] > 0 ? through : 0.0f;
      g += dz * xhat;
      b += dz;
    }
    dgamma[l] += g;
    dbeta[l] += b;
  }
}

/// dx = scale (dz - from_beta - xhat from_gamma). dx may be dy.
template <bool kRelu>
void input_gradient_row(const float* __restrict x, const float* dy, int64_t length, const LaneParameters& lane,
                        const float* __restrict scale, const float* __restrict from_gamma,
                        const float* __restrict from_beta, float* dx) {
  const float* __restrict mean = lane.mean.data();
  const float* __restrict rstd = lane.rstd.data();
  const float* __restrict gamma = lane.gamma.data();
  const float* __restrict beta = lane.beta.data();
#pragma GCC ivdep
  for (int64_t l = 0; l < length; ++l) {
    const float xhat = (x[l] - mean[l]) * rstd[l], through = dy[l];
    const float dz = !kRelu || gamma[l] * xhat + beta[l] > 0 ? through : 0.0f;
    dx[l] = scale[l] * (dz - from_beta[l] - xhat * from_gamma[l]);
  }
}

template <bool kRelu>
std::vector<double> gradient_sums(const WideRows& z, const BatchNorm& b, const float* dy) {
  const LaneParameters lane(z, b);
  const float* x = b.x.data<float>();
  return column_sums<2, 2>(z, [&](int64_t begin, int64_t end, float* dgamma, double* total) {
    float* dbeta = dgamma + z.width;
    std::fill_n(dgamma, 2 * z.width, 0.0f);
    for_block(z, begin, end, [&](auto rows, int64_t at, int64_t length) {
      add_gradients<kRelu, rows>(x + at, dy + at, z.width, length, lane, dgamma, dbeta);
    });
    for (int64_t i = 0; i < 2 * z.width; ++i) total[i] += dgamma[i];
  });
}

}  // namespace

void batch_norm_statistics(const Tensor& x, const Tensor& mean, const Tensor& variance) {
  const WideRows z(x);
  const float* from = x.data<float>();
  // A block's deviations are taken from its own mean, while it lies in the cache: squares of a large mean never meet
  // f32.
  const auto sums = column_sums<2, 3>(z, [&](int64_t begin, int64_t end, float* pivot, double* total) {
    float *first = pivot + z.width, *second = first + z.width;
    std::fill_n(pivot, 3 * z.width, 0.0f);
    const int64_t rest = z.length(end - 1) % z.width, whole = end - begin - (rest != 0);
    for_block(z, begin, end,
              [&](auto rows, int64_t at, int64_t length) { add_rows<rows>(from + at, z.width, length, pivot); });
    for (int64_t l = 0; l < z.width; ++l) pivot[l] /= float(std::max<int64_t>(1, whole + (l < rest)));
    for_block(z, begin, end, [&](auto rows, int64_t at, int64_t length) {
      add_moments<rows>(from + at, z.width, length, pivot, first, second);
    });
    for (int64_t l = 0; l < z.width; ++l) {
      const double n = double(whole + (l < rest)), v = pivot[l], s = first[l];
      total[l] += n * v + s;
      total[z.width + l] += n * v * v + 2 * v * s + second[l];
    }
  });
  const double count = double(z.elements) / double(z.channels);
  for (int64_t c = 0; c < z.channels; ++c) {
    const double average = sums[c] / count;
    mean.data<float>()[c] = float(average);
    variance.data<float>()[c] = float(std::max(0.0, sums[z.channels + c] / count - average * average));
  }
}

void batch_norm(const BatchNorm& b, const Tensor& y) {
  const WideRows z(b.x);
  const LaneParameters lane(z, b);
  const float* x = b.x.data<float>();
  float* to = y.data<float>();
  const bool past = past_caches(y) && z.width % kLanes == 0;
  const auto normalise = b.activation == Activation::relu
                             ? (past ? normalise_row<true, true> : normalise_row<true, false>)
                             : (past ? normalise_row<false, true> : normalise_row<false, false>);
  for_each_row(z, [&](int64_t row, int64_t length) {
    const int64_t at = row * z.width;
    normalise(x + at, length, lane, to + at);
  });
}

void batch_norm_grad_sums(const BatchNorm& b, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta) {
  const WideRows z(b.x);
  const auto sums = b.activation == Activation::relu ? gradient_sums<true>(z, b, dy.data<float>())
                                                     : gradient_sums<false>(z, b, dy.data<float>());
  std::copy_n(sums.data(), z.channels, dgamma.data<float>());
  std::copy_n(sums.data() + z.channels, z.channels, dbeta.data<float>());
}

void batch_norm_grad_input(const BatchNorm& b, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta,
                           bool training, const Tensor& dx) {
  const WideRows z(b.x);
  const LaneParameters lane(z, b);
  const double inverse_count = training && z.elements ? double(z.channels) / double(z.elements) : 0;
  std::vector<float> scale(z.width), from_gamma = z.repeat(dgamma.data<float>()),
                                     from_beta = z.repeat(dbeta.data<float>());
  for (int64_t l = 0; l < z.width; ++l) {
    scale[l] = lane.gamma[l] * lane.rstd[l];
    from_gamma[l] = training ? float(from_gamma[l] * inverse_count) : 0.0f;
    from_beta[l] = training ? float(from_beta[l] * inverse_count) : 0.0f;
  }
  const float *x = b.x.data<float>(), *from = dy.data<float>();
  float* to = dx.data<float>();
  for_each_row(z, [&](int64_t row, int64_t length) {
    const int64_t at = row * z.width;
    if (b.activation == Activation::relu)
      input_gradient_row<true>(x + at, from + at, length, lane, scale.data(), from_gamma.data(), from_beta.data(),
                               to + at);
    else
      input_gradient_row<false>(x + at, from + at, length, lane, scale.data(), from_gamma.data(), from_beta.data(),
                                to + at);
  });
}

void add_norms(Backend& b) {
  b.batch_norm_statistics = batch_norm_statistics;
  b.batch_norm = batch_norm;
  b.batch_norm_grad_sums = batch_norm_grad_sums;
  b.batch_norm_grad_input = batch_norm_grad_input;
}

}  // namespace tensor::cpu
