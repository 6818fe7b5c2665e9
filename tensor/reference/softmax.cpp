/// Softmax along the last axis, cross entropy, and their gradients.
#include "tensor/backend.h"

#include <limits>

namespace tensor::reference {

void softmax(const Tensor& x, const Tensor& y) {
  visit_float(x.dtype(), "softmax", [&]<class T>() {
    const int64_t classes = x.shape()[-1];
    for (int64_t first = 0; first < x.size(); first += classes) {
      const T* from = x.data<T>() + first;
      T* to = y.data<T>() + first;
      // Without the maximum, e^x overflows from x = 89 on in f32.
      T largest = from[0], sum = 0;
      for (int64_t c = 1; c < classes; ++c) largest = from[c] > largest ? from[c] : largest;
      for (int64_t c = 0; c < classes; ++c) sum += to[c] = math::exp(from[c] - largest);
      for (int64_t c = 0; c < classes; ++c) to[c] /= sum;
    }
  });
}

void softmax_grad(const Tensor& dy, const Tensor& y, const Tensor& dx) {
  visit_float(y.dtype(), "softmax_grad", [&]<class T>() {
    const int64_t classes = y.shape()[-1];
    for (int64_t first = 0; first < y.size(); first += classes) {
      const T *DY = dy.data<T>() + first, *Y = y.data<T>() + first;
      T* DX = dx.data<T>() + first;
      T product = 0;
      for (int64_t c = 0; c < classes; ++c) product += DY[c] * Y[c];
      for (int64_t c = 0; c < classes; ++c) DX[c] = Y[c] * (DY[c] - product);
    }
  });
}

void cross_entropy(const Tensor& z, const Tensor& classes, const Tensor& y) {
  visit_float(z.dtype(), "cross_entropy", [&]<class T>() {
    const int64_t count = z.shape()[-1];
    for (int64_t row = 0; row < y.size(); ++row) {
      const T* from = z.data<T>() + row * count;
      T largest = from[0], sum = 0;
      for (int64_t c = 1; c < count; ++c) largest = from[c] > largest ? from[c] : largest;
      for (int64_t c = 0; c < count; ++c) sum += math::exp(from[c] - largest);
      const int32_t t = classes.data<int32_t>()[row];
      const bool known = t >= 0 && t < count;
      y.data<T>()[row] = known ? math::log(sum) + (largest - from[t]) : std::numeric_limits<T>::quiet_NaN();
    }
  });
}

void cross_entropy_grad(const Tensor& z, const Tensor& classes, const Tensor& dz) {
  softmax(z, dz);
  visit_float(z.dtype(), "cross_entropy_grad", [&]<class T>() {
    const int64_t count = z.shape()[-1];
    for (int64_t row = 0; row < classes.size(); ++row) {
      const int32_t t = classes.data<int32_t>()[row];
      if (t >= 0 && t < count) dz.data<T>()[row * count + t] -= 1;
    }
  });
}

void add_classes(Backend& b) {
  b.softmax = softmax;
  b.softmax_grad = softmax_grad;
  b.cross_entropy = cross_entropy;
  b.cross_entropy_grad = cross_entropy_grad;
}

}  // namespace tensor::reference
