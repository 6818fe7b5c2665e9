/// Resizing: blend whole rows first, then pixels within the blended row; the gradient gathers through the transposed
/// taps.
/// x: [images][input_rows][input_columns][c], y: [images][rows][columns][c]; blended: one row [input_columns][c].
#include <cstring>

#include "tensor/backend.h"
#include "tensor/cpu/parallel.h"

namespace tensor::cpu {
namespace {

constexpr int64_t kElementsAtATime = 1 << 15;

/// One term of a linear combination along an axis.
struct Term {
  int64_t at;
  float weight;
};
/// terms[first[i]] .. terms[first[i + 1] - 1] make coordinate i.
struct Combination {
  std::vector<int64_t> first{0};
  std::vector<Term> terms;
  /// The term of coordinate i if it has exactly one.
  const Term* only(int64_t i) const { return first[i + 1] - first[i] == 1 ? &terms[first[i]] : nullptr; }
  void close() { first.push_back(int64_t(terms.size())); }
};

/// What each of `out` coordinates reads along an axis of `in`; terms of weight 0 are left out.
Combination taps(int64_t in, int64_t out, ResizeMode mode) {
  Combination z;
  for (int64_t i = 0; i < out; ++i) {
    const ResizeTap tap = resize_tap(i, in, out, mode);
    if (tap.first == tap.second || tap.t == 0) {
      z.terms.push_back({tap.first, 1.0f});
    } else {
      z.terms.push_back({tap.first, float(1 - tap.t)});
      z.terms.push_back({tap.second, float(tap.t)});
    }
    z.close();
  }
  return z;
}

/// Which coordinates of `out` read each of `in`: the transpose of taps, in ascending order.
Combination transposed_taps(int64_t in, int64_t out, ResizeMode mode) {
  const Combination forward = taps(in, out, mode);
  std::vector<std::vector<Term>> readers(in);
  for (int64_t i = 0; i < out; ++i)
    for (int64_t t = forward.first[i]; t < forward.first[i + 1]; ++t)
      readers[forward.terms[t].at].push_back({i, forward.terms[t].weight});
  Combination z;
  for (const auto& terms : readers) {
    z.terms.insert(z.terms.end(), terms.begin(), terms.end());
    z.close();
  }
  return z;
}

void scale_row(const float* __restrict x, float weight, int64_t n, float* __restrict y) {
  for (int64_t i = 0; i < n; ++i) y[i] = weight * x[i];
}
void add_row(const float* __restrict x, float weight, int64_t n, float* __restrict y) {
  for (int64_t i = 0; i < n; ++i) y[i] += weight * x[i];
}
void blend_rows(const float* __restrict a, float wa, const float* __restrict b, float wb, int64_t n,
                float* __restrict y) {
  for (int64_t i = 0; i < n; ++i) y[i] = wa * a[i] + wb * b[i];
}

/// y = sum of weight * x[at * stride .. + n) over the terms of coordinate i.
void combine(const Combination& z, int64_t i, const float* x, int64_t stride, int64_t n, float* y) {
  const Term *term = z.terms.data() + z.first[i], *end = z.terms.data() + z.first[i + 1];
  if (term == end) {
    std::memset(y, 0, n * sizeof(float));
  } else if (end - term == 1) {
    scale_row(x + term->at * stride, term->weight, n, y);
  } else {
    blend_rows(x + term[0].at * stride, term[0].weight, x + term[1].at * stride, term[1].weight, n, y);
    for (term += 2; term < end; ++term) add_row(x + term->at * stride, term->weight, n, y);
  }
}

/// Output images of `rows` x `columns` from input images of input_rows x input_columns, c channels.
void combine_images(const Combination& down, const Combination& across, int64_t images, int64_t input_rows,
                    int64_t input_columns, int64_t rows, int64_t columns, int64_t c, const float* x, float* y) {
  const int64_t width = input_columns * c;
  parallel_for(images * rows, std::max<int64_t>(1, kElementsAtATime / std::max<int64_t>(1, columns * c)),
               [&](int64_t begin, int64_t end) {
                 std::vector<float> blended(width);
                 for (int64_t row = begin; row < end; ++row) {
                   const float *image = x + row / rows * input_rows * width, *source = blended.data();
                   const Term* only = down.only(row % rows);
                   if (only && only->weight == 1)
                     source = image + only->at * width;
                   else
                     combine(down, row % rows, image, width, width, blended.data());
                   for (int64_t q = 0; q < columns; ++q) combine(across, q, source, c, c, y + (row * columns + q) * c);
                 }
               });
}

}  // namespace

void resize(const ResizeShape& z, const Tensor& x, const Tensor& y) {
  combine_images(taps(z.h, z.p, z.mode), taps(z.w, z.q, z.mode), z.n, z.h, z.w, z.p, z.q, z.c, x.data<float>(),
                 y.data<float>());
}

void resize_grad(const ResizeShape& z, const Tensor& dy, const Tensor& dx) {
  combine_images(transposed_taps(z.h, z.p, z.mode), transposed_taps(z.w, z.q, z.mode), z.n, z.p, z.q, z.h, z.w, z.c,
                 dy.data<float>(), dx.data<float>());
}

void add_resizing(Backend& b) {
  b.resize = resize;
  b.resize_grad = resize_grad;
}

}  // namespace tensor::cpu
