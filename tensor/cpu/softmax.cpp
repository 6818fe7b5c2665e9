/// Softmax and cross entropy along the last axis: blocks of pixels are turned so that a vector holds one class of many
/// pixels. x, y, dy: [pixels][classes]; a turned block: [classes][kPixels].
#include <limits>
#include <vector>

#include "tensor/backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/scalar_math.h"

namespace tensor::cpu {
namespace {

constexpr int64_t kPixels = 64;

/// turned[l][j] = x[j][l] for `count` pixels; the rest of the block repeats 0, which overflows nowhere.
void turn(const float* x, int64_t count, int64_t classes, float* turned) {
  for (int64_t l = 0; l < classes; ++l) {
    for (int64_t j = 0; j < count; ++j) turned[l * kPixels + j] = x[j * classes + l];
    for (int64_t j = count; j < kPixels; ++j) turned[l * kPixels + j] = 0;
  }
}

void turn_back(const float* turned, int64_t count, int64_t classes, float* y) {
  for (int64_t l = 0; l < classes; ++l)
    for (int64_t j = 0; j < count; ++j) y[j * classes + l] = turned[l * kPixels + j];
}

/// x becomes e^(x - most).
void exp_block(int64_t classes, float* x, float* most, float* sum) {
  for (int64_t j = 0; j < kPixels; ++j) most[j] = x[j], sum[j] = 0;
  for (int64_t l = 1; l < classes; ++l)
    for (int64_t j = 0; j < kPixels; ++j) most[j] = x[l * kPixels + j] > most[j] ? x[l * kPixels + j] : most[j];
  for (int64_t l = 0; l < classes; ++l)
    for (int64_t j = 0; j < kPixels; ++j) {
      const float e = math::exp(x[l * kPixels + j] - most[j]);
      x[l * kPixels + j] = e;
      sum[j] += e;
    }
}

void softmax_block(int64_t classes, float* x) {
  float most[kPixels], sum[kPixels];
  exp_block(classes, x, most, sum);
  for (int64_t l = 0; l < classes; ++l)
    for (int64_t j = 0; j < kPixels; ++j) x[l * kPixels + j] /= sum[j];
}

/// dy becomes dx.
void softmax_grad_block(int64_t classes, const float* __restrict y, float* __restrict dy) {
  float dot[kPixels] = {};
  for (int64_t l = 0; l < classes; ++l)
    for (int64_t j = 0; j < kPixels; ++j) dot[j] += dy[l * kPixels + j] * y[l * kPixels + j];
  for (int64_t l = 0; l < classes; ++l)
    for (int64_t j = 0; j < kPixels; ++j) dy[l * kPixels + j] = y[l * kPixels + j] * (dy[l * kPixels + j] - dot[j]);
}

/// Calls f(first element, pixels, scratch) for blocks of kPixels pixels, chunks in parallel; scratch holds `blocks`
/// turned blocks.
template <class F>
void for_each_block(int64_t pixels, int64_t classes, int blocks, F f) {
  const int64_t per_chunk = std::max<int64_t>(1, (1 << 14) / (kPixels * classes));
  parallel_for((pixels + kPixels - 1) / kPixels, per_chunk, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch(blocks * kPixels * classes);
    for (int64_t b = begin; b < end; ++b)
      f(b * kPixels * classes, std::min(kPixels, pixels - b * kPixels), scratch.data());
  });
}

}  // namespace

void softmax(const Tensor& x, const Tensor& y) {
  const int64_t classes = x.shape()[-1];
  if (classes == 0) return;
  const float* from = x.data<float>();
  float* to = y.data<float>();
  for_each_block(x.size() / classes, classes, 1, [=](int64_t at, int64_t count, float* block) {
    turn(from + at, count, classes, block);
    softmax_block(classes, block);
    turn_back(block, count, classes, to + at);
  });
}

void softmax_grad(const Tensor& dy, const Tensor& y, const Tensor& dx) {
  const int64_t classes = dy.shape()[-1];
  if (classes == 0) return;
  const float *gradient = dy.data<float>(), *probability = y.data<float>();
  float* to = dx.data<float>();
  for_each_block(dy.size() / classes, classes, 2, [=](int64_t at, int64_t count, float* block) {
    float* second = block + kPixels * classes;
    turn(gradient + at, count, classes, block);
    turn(probability + at, count, classes, second);
    softmax_grad_block(classes, second, block);
    turn_back(block, count, classes, to + at);
  });
}

void cross_entropy(const Tensor& z, const Tensor& classes, const Tensor& y) {
  const int64_t count = z.shape()[-1];
  const float* from = z.data<float>();
  const int32_t* target = classes.data<int32_t>();
  float* to = y.data<float>();
  for_each_block(y.size(), count, 1, [=](int64_t at, int64_t pixels, float* block) {
    turn(from + at, pixels, count, block);
    float most[kPixels], sum[kPixels];
    exp_block(count, block, most, sum);
    for (int64_t j = 0; j < kPixels; ++j) sum[j] = math::log(sum[j]);
    for (int64_t j = 0; j < pixels; ++j) {
      const int64_t row = at / count + j;
      const int32_t t = target[row];
      const bool known = t >= 0 && t < count;
      to[row] = known ? sum[j] + (most[j] - from[row * count + t]) : std::numeric_limits<float>::quiet_NaN();
    }
  });
}

void cross_entropy_grad(const Tensor& z, const Tensor& classes, const Tensor& dz) {
  const int64_t count = z.shape()[-1];
  const int32_t* target = classes.data<int32_t>();
  float* to = dz.data<float>();
  softmax(z, dz);
  parallel_for(classes.size(), 1 << 14, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      if (target[row] >= 0 && target[row] < count) to[row * count + target[row]] -= 1;
  });
}

void add_classes(Backend& b) {
  b.softmax = softmax;
  b.softmax_grad = softmax_grad;
  b.cross_entropy = cross_entropy;
  b.cross_entropy_grad = cross_entropy_grad;
}

}  // namespace tensor::cpu
