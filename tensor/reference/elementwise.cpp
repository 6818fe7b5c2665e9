/// Each functor of scalar_ops.h in one loop; sums in f64; conversions between all types.
#include <limits>
#include <vector>

#include "tensor/backend.h"
#include "tensor/visit_number.h"

namespace tensor::reference {

void map(const MapOp& op, const Tensor& x, const Tensor& y) {
  visit_float(x.dtype(), "map", [&]<class T>() {
    const T* from = x.data<T>();
    T* to = y.data<T>();
    const int64_t n = y.size();
    std::visit(
        [&](const auto& f) {
          for (int64_t i = 0; i < n; ++i) to[i] = f(from[i]);
        },
        op);
  });
}

void zip(const ZipOp& op, const Tensor& a, const Tensor& b, const Tensor& y) {
  visit_float(a.dtype(), "zip", [&]<class T>() {
    const T *left = a.data<T>(), *right = b.data<T>();
    T* to = y.data<T>();
    const int64_t n = y.size(), period = b.size();
    std::visit(
        [&](const auto& f) {
          for (int64_t i = 0; i < n; ++i) to[i] = f(left[i], right[i % period]);
        },
        op);
  });
}

void sum(const Tensor& x, const Tensor& y) {
  visit_float(x.dtype(), "sum", [&]<class T>() {
    const T* from = x.data<T>();
    T* to = y.data<T>();
    std::vector<double> total(size_t(y.size()), 0.0);
    for (int64_t i = 0; i < x.size(); ++i) total[size_t(i % y.size())] += from[i];
    for (int64_t c = 0; c < y.size(); ++c) to[c] = T(total[size_t(c)]);
  });
}

namespace {

/// A float outside an integer type's range has no meaning in C++; here it becomes the nearest value, and NaN 0.
template <class To, class From>
To convert(From x) {
  if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    if (x != x) return To(0);
    if (double(x) <= double(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (double(x) >= double(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
  }
  return To(x);
}

}  // namespace

void cast(const Tensor& x, const Tensor& y) {
  visit_number(x.dtype(), "cast", [&]<class From>() {
    visit_number(y.dtype(), "cast", [&]<class To>() {
      const From* from = x.data<From>();
      To* to = y.data<To>();
      for (int64_t i = 0; i < y.size(); ++i) to[i] = convert<To>(from[i]);
    });
  });
}

void add_elementwise(Backend& b) {
  b.map = map;
  b.zip = zip;
  b.sum = sum;
  b.cast = cast;
}

}  // namespace tensor::reference
