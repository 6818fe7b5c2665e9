/// Softmax along the last axis, and its gradient.
#include "tensor/backend.h"

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

void add_classes(Backend& b) {
  b.softmax = softmax;
  b.softmax_grad = softmax_grad;
}

}  // namespace tensor::reference
