/// What the checked operations ask of their arguments, and how they make their results.
#pragma once
#include <initializer_list>

#include "tensor/tensor.h"

namespace tensor {

// What no real window or image exceeds, and far from where products of extents overflow.
constexpr int64_t kMaxWindowStep = 1 << 20, kMaxSide = 1 << 20;

using Tensors = std::initializer_list<const Tensor*>;

/// All must be defined, on x's device and hold `dtype`.
inline void check_alike(const char* op, const Tensor& x, DType dtype, Tensors tensors) {
  for (const Tensor* t : tensors) {
    check(t->defined(), "{}: an argument is undefined", op);
    check(t->device() == x.device(), "{}: {} is on {}, {} on {}; move one with to()", op, x.shape(), name(x.device()),
          t->shape(), name(t->device()));
    check(t->dtype() == dtype, "{}: {} holds {}, {} holds {}; cast one", op, x.shape(), name(x.dtype()), t->shape(),
          name(t->dtype()));
  }
}

/// All must be defined, on one device, of one float type.
inline void check_floats(const char* op, Tensors tensors) {
  const Tensor& first = **tensors.begin();
  check_alike(op, first, first.dtype(), tensors);
  check(first.dtype() == DType::f32 || first.dtype() == DType::f64, "{}: needs f32 or f64, not {}", op,
        name(first.dtype()));
}

/// As check_floats; where the device is cuda or planned they may hold bf16.
inline void check_activations(const char* op, Tensors tensors) {
  const Tensor& first = **tensors.begin();
  if (first.dtype() != DType::bf16) return check_floats(op, tensors);
  check_alike(op, first, DType::bf16, tensors);
  check(first.device() == Device::cuda || first.device() == Device::plan,
        "{}: needs f32 or f64, not bf16, which only cuda computes with", op);
}

/// Parameters, statistics and sums of x: as x, but f32 where it holds bf16.
inline void check_parameters(const char* op, const Tensor& x, Tensors tensors) {
  check_alike(op, x, wide(x.dtype()), tensors);
}

/// A convolution's weight: a parameter of x, or one rounded to x's type.
inline void check_weight(const char* op, const Tensor& x, const Tensor& w) {
  check_alike(op, x, w.defined() && w.dtype() == x.dtype() ? x.dtype() : wide(x.dtype()), {&w});
}

inline void check_shape(const char* op, const char* what, const Shape& got, const Shape& wanted) {
  check(got == wanted, "{}: {} is {}, expected {}", op, what, got, wanted);
}

inline void check_row(const char* op, const char* what, const Tensor& t, int64_t c) {
  check(t.shape() == Shape{c}, "{}: {} {} must be [{}]", op, what, t.shape(), c);
}

inline Tensor like(const Tensor& t, const Shape& shape) { return Tensor(shape, t.dtype(), t.device()); }
inline Tensor like(const Tensor& t) { return like(t, t.shape()); }
/// For a result that may overwrite t: t's memory when t is its only owner.
inline Tensor over(const Tensor& t) { return t.unique() ? t : like(t); }
/// For sums over t.
inline Tensor wide_like(const Tensor& t, const Shape& shape) { return Tensor(shape, wide(t.dtype()), t.device()); }

/// The shape of parts joined along the last axis.
template <class Images>
Shape joined_shape(const char* op, const Images& parts) {
  check(parts.size() > 0, "{}: nothing to join", op);
  const Tensor& first = parts[0];
  int64_t total = 0;
  for (const Tensor& part : parts) {
    check_activations(op, {&first, &part});
    check(part.shape().rank() == first.shape().rank() && part.shape().rank() >= 1 &&
              part.shape().with(-1, 0) == first.shape().with(-1, 0),
          "{}: {} and {} differ before the last axis", op, first.shape(), part.shape());
    total += part.shape()[-1];
  }
  return first.shape().with(-1, total);
}

}  // namespace tensor
