/// The permutohedral filter, f32 and f64, a channel at a time. Every number is written by one thread, its terms added
/// in the order in which the reference adds them.
#include <algorithm>
#include <bit>
#include <cmath>

#include "tensor/cpu/backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/gaussian/lattice_corners.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace tensor::cpu {
namespace {

constexpr int64_t kVertexLanes = 16;

template <class T>
struct LanesOf {
  typedef T type __attribute__((vector_size(sizeof(T) * kVertexLanes), aligned(sizeof(T)), may_alias));
};
template <class T>
using Lanes = typename LanesOf<T>::type;

template <class T>
Lanes<T> load(const T* x) {
  return *reinterpret_cast<const Lanes<T>*>(x);
}
template <class T>
void store(const Lanes<T>& x, T* y) {
  *reinterpret_cast<Lanes<T>*>(y) = x;
}

/// Corners e, ..., e + 15.
template <class T>
struct CornerLanes {
  Lanes<int32_t> vertex;
  Lanes<T> weight;
};
template <class T>
CornerLanes<T> load_corners(const FullCorners<T>& c, int64_t e) {
  return {load(c.vertices + e), load(c.weights + e)};
}
template <class T>
CornerLanes<T> load_corners(const PackedCorners<T>& c, int64_t e) {
  const Lanes<uint32_t> words = load(c.words + e);
  return {Lanes<int32_t>(words & c.mask()),
          __builtin_convertvector(Lanes<int32_t>(words >> uint32_t(c.bits)), Lanes<T>) * c.step()};
}

/// x[at] lane by lane.
template <class T>
Lanes<T> gather(const T* x, const Lanes<int32_t>& at) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return Lanes<T>(_mm512_mask_i32gather_ps(_mm512_setzero_ps(), __mmask16(~0), __m512i(at), x, sizeof(T)));
#endif
  Lanes<T> y;
  for (int64_t l = 0; l < kVertexLanes; ++l) y[l] = x[at[l]];
  return y;
}

/// Writes the lanes whose bit is set one behind the other to y, and anything to the rest of its 16 values.
template <class T>
void pack_lanes(uint32_t bits, const Lanes<T>& x, T* y) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return _mm512_storeu_ps(y, _mm512_maskz_compress_ps(__mmask16(bits), __m512(x)));
#endif
  for (int64_t l = 0; l < kVertexLanes; ++l) {
    *y = x[l];
    y += bits >> l & 1;
  }
}

/// The values of x, of which 16 may be read, handed out to the lanes whose bit is set; 0 in the others.
template <class T>
Lanes<T> spread_lanes(uint32_t bits, const T* x) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return Lanes<T>(_mm512_maskz_expand_ps(__mmask16(bits), _mm512_loadu_ps(x)));
#endif
  Lanes<T> y{};
  for (int64_t l = 0; l < kVertexLanes; ++l) {
    const bool marked = bits >> l & 1;
    y[l] = marked ? *x : T(0);
    x += marked;
  }
  return y;
}

/// One channel's values on the vertices, a whole number of 32, and what is read and written beyond them at most.
int64_t row_size(const Lattice& l) { return (l.vertices + 31) / 32 * 32 + kVertexLanes; }
/// For each order of the axes a row of values and two of neighbours.
int64_t rows(const Lattice& l) { return (l.both_orders() ? 2 : 1) * 3; }

/// x += (before + after) / 2 along one axis. Neighbours keep the order of the vertices: all that are before one are
/// brought together in `earlier`, all that are after one in `later`, and handed out in order as soon as enough are
/// there. earlier, later: rows.
template <class T>
void blur(const int32_t* before_bits, int64_t words, T* x, T* earlier, T* later) {
  // Brought together a few words at a time, so that the branch which asks for enough can be foretold; and not asked for
  // back until some time after they were stored, for the processor waits for what it stored a moment ago.
  constexpr int64_t kBatch = 4, kLag = 4 * kVertexLanes;
  const int32_t* const after_bits = before_bits + words;
  const T *next_earlier = earlier, *next_later = later;
  int64_t done = 0;
  const auto hand_out = [&] {
    const auto before = uint32_t(before_bits[done]), after = uint32_t(after_bits[done]);
    T* const at = x + 32 * done;
    for (int half = 0; half < 2; ++half) {
      const uint32_t b = before >> (kVertexLanes * half) & 0xffff, a = after >> (kVertexLanes * half) & 0xffff;
      const Lanes<T> sum = spread_lanes(b, next_earlier) + spread_lanes(a, next_later);
      store(load(at + kVertexLanes * half) + T(0.5) * sum, at + kVertexLanes * half);
      next_earlier += std::popcount(b);
      next_later += std::popcount(a);
    }
    ++done;
  };
  for (int64_t word = 0; word < words;) {
    for (const int64_t end = std::min(words, word + kBatch); word < end; ++word) {
      const auto before = uint32_t(before_bits[word]), after = uint32_t(after_bits[word]);
      for (int half = 0; half < 2; ++half) {
        const uint32_t b = before >> (kVertexLanes * half) & 0xffff, a = after >> (kVertexLanes * half) & 0xffff;
        const Lanes<T> values = load(x + 32 * word + kVertexLanes * half);
        pack_lanes(a, values, earlier);
        pack_lanes(b, values, later);
        earlier += std::popcount(a);
        later += std::popcount(b);
      }
    }
    while (done < word && earlier - next_earlier >= 2 * kVertexLanes + kLag &&
           later - next_later >= 2 * kVertexLanes + kLag)
      hand_out();
  }
  while (done < words) hand_out();
}

/// x, y: the channel's first values, `channels` apart; before, after: a factor a point, or null. work: all rows.
template <class T, class Corners>
void filter(const Lattice& l, const Corners& corner, bool transpose, int64_t channels, const T* x, const T* before,
            const T* after, T* y, T* work) {
  const int64_t row = row_size(l), words = l.linked.shape()[2], corners = l.corners();
  constexpr int64_t kGrain = 4096;
  parallel_for(row, 4 * kGrain, [&](int64_t first, int64_t last) { std::fill(work + first, work + last, T(0)); });
  parallel_chunks(2, [&](int64_t part) {  // every other corner: they share no vertex, and hardly a line of the cache
    const auto value_of = [&](int64_t p) { return before ? x[p * channels] * before[p] : x[p * channels]; };
    int64_t p = 0;
    for (; p + kVertexLanes <= l.points; p += kVertexLanes) {  // a corner of 16 points at a time, multiplied at once
      Lanes<T> value;
      for (int64_t i = 0; i < kVertexLanes; ++i) value[i] = value_of(p + i);
      for (int64_t k = part; k < corners; k += 2) {
        const CornerLanes<T> at = load_corners(corner, k * l.points + p);
        int32_t vertex[kVertexLanes];
        T product[kVertexLanes];
        store(at.vertex, vertex);
        store(at.weight * value, product);
#pragma GCC unroll 16
        for (int64_t i = 0; i < kVertexLanes; ++i) work[vertex[i]] += product[i];
      }
    }
    for (; p < l.points; ++p)
      for (int64_t k = part; k < corners; k += 2) {
        const int64_t e = k * l.points + p;
        work[corner.vertex(e)] += corner.weight(e) * value_of(p);
      }
  });

  if (l.both_orders())
    parallel_for(row, 4 * kGrain,
                 [&](int64_t first, int64_t last) { std::copy(work + first, work + last, work + 3 * row + first); });
  parallel_chunks(l.both_orders() ? 2 : 1, [&](int64_t order) {
    T* const values = work + 3 * order * row;
    for (int64_t step = 0; step < l.rounds * l.axes(); ++step) {
      const int64_t at = step % l.axes(), axis = transpose != (order == 1) ? l.axes() - 1 - at : at;
      blur(l.linked.data<int32_t>() + 2 * axis * words, words, values, values + row, values + 2 * row);
    }
  });
  if (l.both_orders())
    parallel_for(l.vertices, 4 * kGrain, [&](int64_t first, int64_t last) {
      for (int64_t v = first; v < last; ++v) work[v] = T(0.5) * (work[v] + work[3 * row + v]);
    });
  const T gain = T(1) / (T(1) + std::ldexp(T(1), -int(l.dimensions)));
  parallel_for(l.points, kGrain, [&](int64_t first, int64_t last) {
    int64_t p = first;
    for (; p + kVertexLanes <= last; p += kVertexLanes) {
      Lanes<T> sum{};
      for (int64_t k = 0; k < corners; ++k) {
        const CornerLanes<T> at = load_corners(corner, k * l.points + p);
        sum += at.weight * gain * gather(work, at.vertex);
      }
      for (int64_t i = 0; i < kVertexLanes; ++i) y[(p + i) * channels] = after ? sum[i] * after[p + i] : sum[i];
    }
    for (; p < last; ++p) {
      T sum = 0;
      for (int64_t e = p; e < corners * l.points; e += l.points)
        sum += corner.weight(e) * gain * work[corner.vertex(e)];
      y[p * channels] = after ? sum * after[p] : sum;
    }
  });
}

}  // namespace

void CpuBackend::lattice_gaussian(const Lattice& lattice, const GaussianPass& pass, const Tensor& x, const Tensor& y) {
  const int64_t channels = x.shape()[-1], image = pass.image * lattice.points * channels;
  const Tensor work({rows(lattice) * row_size(lattice)}, x.dtype(), x.device());
  visit_float(x.dtype(), "lattice_gaussian", [&]<class T>() {
    const auto or_null = [](const Tensor& t) { return t.defined() ? t.data<T>() : nullptr; };
    visit_corners<T>(lattice, [&](const auto& corner) {
      for (int64_t c = 0; c < channels; ++c)
        filter(lattice, corner, pass.transpose, channels, x.data<T>() + image + c, or_null(pass.before),
               or_null(pass.after), y.data<T>() + image + c, work.data<T>());
    });
  });
}

}  // namespace tensor::cpu
