/// What is done to parameters: updates, which read and write gradient, weight and moments once, many tensors in one
/// launch; the watch over gradients; weights that are rounded, or take a norm's scale.
#include <vector>

#include "tensor/cuda/launch.h"
#include "tensor/cuda/tensors.h"

namespace tensor::cuda {
namespace {

constexpr int kTensors = kTensorsInLaunch, kInBlock = 16 * kThreads;

/// Which tensor a block belongs to, and which of its elements.
struct Blocks {
  int64_t size[kTensors];
  int first[kTensors + 1];  // block of each; the last: how many there are
  int count = 0;

  void add(int64_t n) {
    if (count == 0) first[0] = 0;
    size[count] = n;
    first[count + 1] = first[count] + int((n + kInBlock - 1) / kInBlock);
    ++count;
  }
  __device__ int tensor() const {
    int t = 0;
    while (first[t + 1] <= int(blockIdx.x)) ++t;
    return t;
  }
  /// Calls f(i) for the block's elements of tensor t.
  template <class F>
  __device__ void for_each_of(int t, F f) const {
    const int64_t begin = int64_t(int(blockIdx.x) - first[t]) * kInBlock, beyond = begin + kInBlock;
    const int64_t end = beyond < size[t] ? beyond : size[t];
    for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) f(i);
  }
};

template <class T>
struct AdamTable {
  Blocks blocks;
  const T* g[kTensors];
  T *w[kTensors], *m[kTensors], *v[kTensors];
  T rate[kTensors], correction[kTensors];
};
static_assert(sizeof(AdamTable<double>) + sizeof(AdamStep) <= 4096);  // what a kernel's arguments may take

template <class T>
__global__ void adam_kernel(AdamStep s, const __grid_constant__ AdamTable<T> table) {
  const int t = table.blocks.tensor();
  const T *const g = table.g[t], rate = table.rate[t], correction = table.correction[t];
  T *const w = table.w[t], *const m = table.m[t], *const v = table.v[t];
  table.blocks.for_each_of(t, [=](int64_t i) {
    const T d = g[i] + T(s.weight_decay) * w[i];
    const T first = T(s.beta1) * m[i] + T(1 - s.beta1) * d, second = T(s.beta2) * v[i] + T(1 - s.beta2) * d * d;
    m[i] = first;
    v[i] = second;
    w[i] -= rate * first / (sqrt(second) * correction + T(s.epsilon));
  });
}

template <class T>
struct WatchTable {
  Blocks blocks;
  const T* x[kTensors];
};

/// y[t] = NaN where a block finds one, or an infinity, in tensor t: x - x is 0 or NaN.
template <class T>
__global__ void non_finite_kernel(const __grid_constant__ WatchTable<T> table, T* y) {
  const int t = table.blocks.tensor();
  const T* const x = table.x[t];
  T found = 0;
  table.blocks.for_each_of(t, [&](int64_t i) { found += x[i] - x[i]; });
  if (found != 0) y[t] = found;
}

struct RoundTable {
  Blocks blocks;
  const float* x[kTensors];
  BFloat16* y[kTensors];
};
__global__ void round_kernel(const __grid_constant__ RoundTable table) {
  const int t = table.blocks.tensor();
  const float* const x = table.x[t];
  BFloat16* const y = table.y[t];
  table.blocks.for_each_of(t, [=](int64_t i) { y[i] = BFloat16(x[i]); });
}

template <class T>
__global__ void sgd_kernel(T rate, T momentum, T weight_decay, const T* g, T* w, T* velocity, int64_t n) {
  for_each(n, [=](int64_t i) {
    const T next = momentum * velocity[i] + g[i] + weight_decay * w[i];
    velocity[i] = next;
    w[i] -= rate * next;
  });
}

template <class T>
__global__ void scale_filters_kernel(const T* w, const double* scale, int64_t in_filter, T* y, int64_t n) {
  for_each(n, [=](int64_t i) { y[i] = T(double(w[i]) * scale[split(i, in_filter).quotient]); });
}

}  // namespace

void scale_filters(const Tensor& w, const Tensor& scale, const Tensor& y) {
  visit_float(w.dtype(), "scale_filters", [&]<class T>() {
    launch("scale_filters", &scale_filters_kernel<T>, blocks_for(w.size()), kThreads, w.data<T>(), scale.data<double>(),
           w.size() / scale.size(), y.data<T>(), w.size());
  });
}

void adam_steps(const std::vector<AdamUpdate>& updates) {
  visit_float(updates[0].w.dtype(), "adam_steps", [&]<class T>() {
    for (size_t begin = 0; begin < updates.size();) {
      AdamTable<T> table{};
      const AdamStep& s = updates[begin].step;
      const auto alike = [&](const AdamStep& other) {
        return other.beta1 == s.beta1 && other.beta2 == s.beta2 && other.epsilon == s.epsilon &&
               other.weight_decay == s.weight_decay;
      };
      size_t at = begin;
      for (int t = 0; at < updates.size() && t < kTensors && alike(updates[at].step); ++at, ++t) {
        const AdamUpdate& u = updates[at];
        const AdamFactors f = adam_factors(u.step);
        table.blocks.add(u.w.size());
        table.g[t] = u.g.data<T>();
        table.w[t] = u.w.data<T>(), table.m[t] = u.m.data<T>(), table.v[t] = u.v.data<T>();
        table.rate[t] = T(f.rate), table.correction[t] = T(f.correction);
      }
      if (const int blocks = table.blocks.first[table.blocks.count]; blocks > 0)
        launch("adam_steps", &adam_kernel<T>, dim3(unsigned(blocks)), kThreads, s, table);
      begin = at;
    }
  });
}
void adam_step(const AdamStep& s, const Tensor& g, const Tensor& w, const Tensor& m, const Tensor& v) {
  adam_steps({{s, g, w, m, v}});
}

void non_finite(const std::vector<Tensor>& x, const Tensor& y) {
  cuda_backend().fill(0, y);
  visit_float(y.dtype(), "non_finite", [&]<class T>() {
    for (size_t begin = 0; begin < x.size(); begin += kTensors) {
      WatchTable<T> table{};
      for (size_t at = begin; at < x.size() && at < begin + kTensors; ++at) {
        table.x[at - begin] = x[at].data<T>();
        table.blocks.add(x[at].size());
      }
      if (const int blocks = table.blocks.first[table.blocks.count]; blocks > 0)
        launch("non_finite", &non_finite_kernel<T>, dim3(unsigned(blocks)), kThreads, table, y.data<T>() + begin);
    }
  });
}

void cast_all(const std::vector<Tensor>& x, const std::vector<Tensor>& y) {
  if (x[0].dtype() != DType::f32 || y[0].dtype() != DType::bf16) {
    for (size_t i = 0; i < x.size(); ++i) cuda_backend().cast(x[i], y[i]);
    return;
  }
  for (size_t begin = 0; begin < x.size(); begin += kTensors) {
    RoundTable table{};
    for (size_t at = begin; at < x.size() && at < begin + kTensors; ++at) {
      table.x[at - begin] = x[at].data<float>(), table.y[at - begin] = y[at].data<BFloat16>();
      table.blocks.add(x[at].size());
    }
    if (const int blocks = table.blocks.first[table.blocks.count]; blocks > 0)
      launch("cast_all", &round_kernel, dim3(unsigned(blocks)), kThreads, table);
  }
}

void sgd_step(const SgdStep& s, const Tensor& g, const Tensor& w, const Tensor& velocity) {
  visit_float(w.dtype(), "sgd_step", [&]<class T>() {
    launch("sgd_step", &sgd_kernel<T>, blocks_for(w.size()), kThreads, T(s.learning_rate), T(s.momentum),
           T(s.weight_decay), g.data<T>(), w.data<T>(), velocity.data<T>(), w.size());
  });
}

void add_updates(Backend& b) {
  b.adam_step = adam_step;
  b.adam_steps = adam_steps;
  b.non_finite = non_finite;
  b.cast_all = cast_all;
  b.scale_filters = scale_filters;
  b.sgd_step = sgd_step;
}

}  // namespace tensor::cuda
