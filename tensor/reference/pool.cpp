/// Max pooling, its inverse, and their gradients.
#include <algorithm>

#include "tensor/backend.h"

namespace tensor::reference {
namespace {

/// Calls f(y, [x of place]) for every window and channel in row-major order of the pooled image: y is the pooled
/// element, and the second argument maps a place in the window to the element of the large image.
template <class F>
void for_each_window(const PoolShape& z, F f) {
  for (int64_t n = 0; n < z.n; ++n)
    for (int64_t p = 0; p < z.p; ++p)
      for (int64_t q = 0; q < z.q; ++q)
        for (int64_t c = 0; c < z.c; ++c)
          f(((n * z.p + p) * z.q + q) * z.c + c, [&, n, p, q, c](int64_t place) {
            const int64_t row = p * z.stride + place / z.kernel, col = q * z.stride + place % z.kernel;
            return ((n * z.h + row) * z.w + col) * z.c + c;
          });
}

template <class T>
bool beats(T value, T best) {
  return value > best || (value != value && best == best);
}

}  // namespace

void max_pool(const PoolShape& z, const Tensor& x, const Tensor& y, const Tensor& index) {
  visit_float(x.dtype(), "max_pool", [&]<class T>() {
    const T* from = x.data<T>();
    T* to = y.data<T>();
    uint8_t* place_of = index.defined() ? index.data<uint8_t>() : nullptr;
    for_each_window(z, [&](int64_t i, auto element) {
      int64_t largest = 0;
      for (int64_t place = 1; place < z.kernel * z.kernel; ++place)
        if (beats(from[element(place)], from[element(largest)])) largest = place;
      to[i] = from[element(largest)];
      if (place_of) place_of[i] = uint8_t(largest);
    });
  });
}

void max_pool_grad(const PoolShape& z, const Tensor& dy, const Tensor& index, const Tensor& dx) {
  visit_float(dy.dtype(), "max_pool_grad", [&]<class T>() {
    const T* from = dy.data<T>();
    const uint8_t* place_of = index.data<uint8_t>();
    T* to = dx.data<T>();
    std::fill_n(to, dx.size(), T(0));
    for_each_window(z, [&](int64_t i, auto element) { to[element(place_of[i])] += from[i]; });
  });
}

void max_unpool(const PoolShape& z, const Tensor& x, const Tensor& index, const Tensor& y) {
  visit_float(x.dtype(), "max_unpool", [&]<class T>() {
    const T* from = x.data<T>();
    const uint8_t* place_of = index.data<uint8_t>();
    T* to = y.data<T>();
    std::fill_n(to, y.size(), T(0));
    for_each_window(z, [&](int64_t i, auto element) { to[element(place_of[i])] = from[i]; });
  });
}

void max_unpool_grad(const PoolShape& z, const Tensor& dy, const Tensor& index, const Tensor& dx) {
  visit_float(dy.dtype(), "max_unpool_grad", [&]<class T>() {
    const T* from = dy.data<T>();
    const uint8_t* place_of = index.data<uint8_t>();
    T* to = dx.data<T>();
    for_each_window(z, [&](int64_t i, auto element) { to[i] = from[element(place_of[i])]; });
  });
}

void add_pooling(Backend& b) {
  b.max_pool = max_pool;
  b.max_pool_grad = max_pool_grad;
  b.max_unpool = max_unpool;
  b.max_unpool_grad = max_unpool_grad;
}

}  // namespace tensor::reference
