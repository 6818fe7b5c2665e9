/// Element-wise kernels: one vectorised loop per functor, chunks in parallel.
#include <algorithm>
#include <cstring>

#include "tensor/cpu/backend.h"
#include "tensor/cpu/wide_rows.h"
#include "tensor/cpu/parallel.h"

namespace tensor::cpu {
namespace {

constexpr int64_t kChunk = 1 << 15;

// y may be x, element for element: `ivdep` says that no other overlap exists.
template <class Op>
void map_floats(Op op, const float* x, float* y, int64_t n) {
  parallel_for(n, kChunk, [=](int64_t begin, int64_t end) {
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) y[i] = op(x[i]);
  });
}

template <class Op>
void zip_floats(Op op, const float* a, const float* b, float* y, int64_t n) {
  parallel_for(n, kChunk, [=](int64_t begin, int64_t end) {
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) y[i] = op(a[i], b[i]);
  });
}

template <class Op>
void zip_row(Op op, const float* a, const float* b, float* y, const WideRows& z) {
  const std::vector<float> repeated = z.repeat(b);
  for_each_row(z, [&, lane = repeated.data()](int64_t row, int64_t length) {
    const float* from = a + row * z.width;
    float* to = y + row * z.width;
#pragma GCC ivdep
    for (int64_t l = 0; l < length; ++l) to[l] = op(from[l], lane[l]);
  });
}

template <class From, class To>
void cast_elements(const From* x, To* y, int64_t n) {
  parallel_for(n, kChunk, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = static_cast<To>(x[i]);
  });
}

template <class T>
void fill_elements(T value, T* y, int64_t n) {
  parallel_for(n, kChunk, [=](int64_t begin, int64_t end) { std::fill(y + begin, y + end, value); });
}

}  // namespace

void CpuBackend::map(const MapOp& op, const Tensor& x, const Tensor& y) {
  if (x.dtype() != DType::f32) return ReferenceBackend::map(op, x, y);
  std::visit([&](auto f) { map_floats(f, x.data<float>(), y.data<float>(), x.size()); }, op);
}

void CpuBackend::zip(const ZipOp& op, const Tensor& a, const Tensor& b, const Tensor& y) {
  if (a.dtype() != DType::f32) return ReferenceBackend::zip(op, a, b, y);
  const float *from = a.data<float>(), *with = b.data<float>();
  float* to = y.data<float>();
  std::visit(
      [&](auto f) {
        if (b.size() == a.size())
          zip_floats(f, from, with, to, a.size());
        else
          zip_row(f, from, with, to, WideRows(a.size(), b.size()));
      },
      op);
}

void CpuBackend::cast(const Tensor& x, const Tensor& y) {
  const int64_t n = x.size();
  if (x.dtype() == DType::u8 && y.dtype() == DType::f32)
    cast_elements(x.data<uint8_t>(), y.data<float>(), n);
  else if (x.dtype() == DType::f32 && y.dtype() == DType::f64)
    cast_elements(x.data<float>(), y.data<double>(), n);
  else if (x.dtype() == DType::f64 && y.dtype() == DType::f32)
    cast_elements(x.data<double>(), y.data<float>(), n);
  else
    ReferenceBackend::cast(x, y);
}

void CpuBackend::fill(double value, const Tensor& y) {
  if (y.dtype() == DType::f32)
    fill_elements(float(value), y.data<float>(), y.size());
  else
    ReferenceBackend::fill(value, y);
}

}  // namespace tensor::cpu
