/// Fills: a constant, random numbers, and dropout.
#include "tensor/backend.h"
#include "tensor/visit_number.h"

namespace tensor::reference {

void fill(double value, const Tensor& y) {
  visit_number(y.dtype(), "fill", [&]<class T>() {
    T* to = y.data<T>();
    for (int64_t i = 0; i < y.size(); ++i) to[i] = T(value);
  });
}

void fill_uniform(const RandomKey& key, double low, double high, const Tensor& y) {
  visit_float(y.dtype(), "uniform", [&]<class T>() {
    T* to = y.data<T>();
    for (int64_t i = 0; i < y.size(); ++i) to[i] = T(low + (high - low) * uniform(key, uint64_t(i)));
  });
}

void fill_normal(const RandomKey& key, double mean, double deviation, const Tensor& y) {
  visit_float(y.dtype(), "normal", [&]<class T>() {
    T* to = y.data<T>();
    for (int64_t i = 0; i < y.size(); ++i) to[i] = T(mean + deviation * normal(key, uint64_t(i)));
  });
}

void dropout(const RandomKey& key, double p, const Tensor& x, const Tensor& y) {
  visit_float(x.dtype(), "dropout", [&]<class T>() {
    const T* from = x.data<T>();
    T* to = y.data<T>();
    for (int64_t i = 0; i < y.size(); ++i) to[i] = uniform(key, uint64_t(i)) >= p ? from[i] / T(1 - p) : T(0);
  });
}

void add_random(Backend& b) {
  b.fill = fill;
  b.fill_uniform = fill_uniform;
  b.fill_normal = fill_normal;
  b.dropout = dropout;
}

}  // namespace tensor::reference
