/// Element-wise kernels: one vectorised loop per functor, chunks in parallel.
/// x, a, y: [n]; b: [n], or one row [C] that a repeats, or [1].
#include <algorithm>
#include <cstring>

#include "tensor/backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/wide_rows.h"

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

void cast_bytes(const uint8_t* x, float* y, int64_t n) {
  parallel_for(n, kChunk, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = float(x[i]);
  });
}

}  // namespace

void map(const MapOp& op, const Tensor& x, const Tensor& y) {
  std::visit([&](auto f) { map_floats(f, x.data<float>(), y.data<float>(), x.size()); }, op);
}

void zip(const ZipOp& op, const Tensor& a, const Tensor& b, const Tensor& y) {
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

void cast(const Tensor& x, const Tensor& y) {
  if (x.dtype() == DType::u8) return cast_bytes(x.data<uint8_t>(), y.data<float>(), x.size());
  reference_backend().cast(x, y);
}

void fill(double value, const Tensor& y) {
  float* to = y.data<float>();
  parallel_for(y.size(), kChunk, [=](int64_t begin, int64_t end) { std::fill(to + begin, to + end, float(value)); });
}

void add_elementwise(Backend& b) {
  b.map = map;
  b.zip = zip;
  b.cast = cast;
  b.fill = fill;
}

}  // namespace tensor::cpu
