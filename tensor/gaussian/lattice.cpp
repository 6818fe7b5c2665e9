/// Building the permutohedral lattice: locate the points, number the vertices, bridge the gaps, link the neighbours.
#include "tensor/gaussian/lattice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "tensor/backend.h"
#include "tensor/gaussian/lattice_corners.h"
#include "tensor/gaussian/lattice_gaps.h"
#include "tensor/gaussian/lattice_keys.h"
#include "tensor/gaussian/lattice_links.h"
#include "tensor/gaussian/lattice_points.h"
#include "tensor/machine/parallel.h"
#include "tensor/plan/plan.h"
#include "tensor/machine/scratch.h"

namespace tensor {
namespace {

constexpr int64_t kChunk = 4096;  // points; a multiple of the locator's lanes
constexpr double kHeavy = 0.15;   // of kLarge points: weight of a vertex that carries a bridge, of the mean of all or 1
constexpr double kMany = 1.3;     // vertices a point, so many that a bridged lattice of kSmall points has one copy

/// Vertices that n points must touch, or a bridged lattice is made finer.
int64_t least_vertices(int64_t n) { return n / (n < Lattice::kSmall ? 2 : 5) + 1; }
/// Vertices of a finer one of n points from which on it needs no more bridges.
int64_t enough_vertices(int64_t n) { return n < Lattice::kSmall ? n : n / 4; }

/// Whether gaps are bridged, what features count, how often the lattice is blurred, how many copies of it there are.
struct Form {
  bool bridged;
  double stretch;
  int rounds, copies;
};

/// The vertices of all points, ascending; of chunk c, vertex i is vertex[begin[c] + i].
template <class Key>
struct Numbering {
  Scratch<Key> keys;
  Scratch<int32_t> vertex;
  std::vector<uint32_t> begin;
  Scratch<uint8_t> heavy;  ///< of a bridged lattice: whether the points weigh enough there to carry a bridge
};

/// The extremes of the points' numbers that make a key, and whether all coordinates are finite and small enough.
template <class T, int D>
struct Extent {
  std::array<T, D> low, high;
  bool inside = true;

  Extent() {
    low.fill(std::numeric_limits<T>::max());
    high.fill(std::numeric_limits<T>::lowest());
  }
  void add(const T* features, double stretch, int64_t first, int64_t last) {
    using Locator = PointLocator<T, D>;
    Locator locator(stretch);
    for (int64_t p = first; p < last; p += Locator::kLanes) {
      locator.elevate(features + p * D, int(std::min<int64_t>(Locator::kLanes, last - p)));
      typename Locator::Reals x[D + 1], number[D];
      for (int i = 0; i <= D; ++i) {
        for (int l = 0; l < Locator::kLanes; ++l) inside &= std::abs(locator.elevated[i][l]) < Locator::kLargest;
        x[i] = locator.elevated[i] / T(D + 1);
      }
      key_numbers<D>(x, number);
      for (int i = 0; i < D; ++i)
        for (int l = 0; l < Locator::kLanes; ++l) {
          low[i] = std::min(low[i], T(number[i][l]));
          high[i] = std::max(high[i], T(number[i][l]));
        }
    }
  }
  void add(const Extent& o) {
    inside &= o.inside;
    for (int i = 0; i < D; ++i) {
      low[i] = std::min(low[i], o.low[i]);
      high[i] = std::max(high[i], o.high[i]);
    }
  }
};

template <class T, int D>
Extent<T, D> extent(const T* features, int64_t n, double stretch) {
  std::vector<Extent<T, D>> chunks((n + kChunk - 1) / kChunk);
  parallel_for(n, kChunk,
               [&](int64_t first, int64_t last) { chunks[first / kChunk].add(features, stretch, first, last); });
  Extent<T, D> all;
  for (const auto& chunk : chunks) all.add(chunk);
  return all;
}

/// Of some points: the keys of their corners, each once, and what all weigh there.
template <class T, class Key>
struct Located {
  std::vector<Key> keys;
  std::vector<T> total;
};

/// Of points [first, last) of n: their corners, numbered as they first appear, and weights, each [copies (D + 1), n].
template <class T, int D, class Key>
Located<T, Key> locate_chunk(const T* features, const Form& form, const KeyLayout<Key, D>& layout, int64_t n,
                             int64_t first, int64_t last, int32_t* vertex, T* weight) {
  constexpr int kLanes = PointLocator<T, D>::kLanes;
  Key key[D + 1][kLanes];
  KeyTable<Key> table;
  for (int copy = 0; copy < form.copies; ++copy) {
    PointLocator<T, D> locator(form.stretch, copy);
    for (int64_t p = first; p < last; p += kLanes) {
      const int count = int(std::min<int64_t>(kLanes, last - p));
      locator.elevate(features + p * D, count);
      locator.locate(layout, key);
      for (int k = 0; k <= D; ++k)
        for (int l = 0; l < count; ++l) {
          const int64_t e = (copy * (D + 1) + k) * n + p + l;
          vertex[e] = table.number(key[k][l] + Key(copy) * layout.copy);
          weight[e] = locator.weight[k][l];
        }
    }
  }
  Located<T, Key> y{table.keys(), std::vector<T>(table.keys().size())};
  for (int k = 0; k < form.copies * (D + 1); ++k)
    for (int64_t e = k * n + first; e < k * n + last; ++e) y.total[vertex[e]] += weight[e];
  return y;
}

/// The vertices of all chunks.
template <class T, class Key>
Numbering<Key> number_vertices(const std::vector<Located<T, Key>>& chunks, int bits, int64_t points) {
  struct Item {
    Key key;
    uint32_t at;
  };
  Numbering<Key> y;
  y.begin.push_back(0);
  for (const auto& chunk : chunks) y.begin.push_back(y.begin.back() + uint32_t(chunk.keys.size()));
  Scratch<Item> items(y.begin.back());
  Scratch<T> part(items.size()), total(items.size());
  parallel_chunks(int64_t(chunks.size()), [&](int64_t c) {
    uint32_t at = y.begin[c];
    std::copy(chunks[c].total.begin(), chunks[c].total.end(), part.begin() + at);
    for (const Key key : chunks[c].keys) {
      items[at] = {key, at};
      ++at;
    }
  });
  sort_keys(items, bits, [](const Item& item) { return item.key; });
  y.vertex.resize(items.size());
  y.keys.resize(items.size());
  size_t count = 0;
  for (const Item& item : items) {
    const bool first = count == 0 || y.keys[count - 1] != item.key;
    if (first) total[count] = 0;
    count += first;
    y.keys[count - 1] = item.key;
    total[count - 1] += part[item.at];
    y.vertex[item.at] = int32_t(count - 1);
  }
  y.keys.resize(count);
  y.heavy.resize(count);
  const T least = points < Lattice::kLarge ? 0 : T(kHeavy * std::min(1.0, double(points) / double(count)));
  for (size_t v = 0; v < count; ++v) y.heavy[v] = total[v] >= least;
  return y;
}

/// Adds vertices `more` (ascending, none of them present), which no point touches. They may carry bridges.
template <class Key>
void add_vertices(Numbering<Key>& y, const Scratch<Key>& more) {
  const size_t count = y.keys.size();
  Scratch<Key> keys(count + more.size());
  Scratch<uint8_t> heavy(keys.size());
  Scratch<int32_t> moved(count);
  size_t v = 0, m = 0;
  while (v < count && m < more.size()) {
    const bool old = y.keys[v] < more[m];
    keys[v + m] = old ? y.keys[v] : more[m];
    heavy[v + m] = uint8_t(!old) | y.heavy[v];
    moved[v] = int32_t(v + m);
    v += old;
    m += !old;
  }
  std::copy(more.begin() + int64_t(m), more.end(), keys.begin() + int64_t(v + m));
  std::fill(heavy.begin() + int64_t(v + m), heavy.end(), uint8_t(1));
  for (; v < count; ++v) {
    keys[v + m] = y.keys[v];
    heavy[v + m] = y.heavy[v];
    moved[v] = int32_t(v + m);
  }
  parallel_for(int64_t(y.vertex.size()), kChunk, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) y.vertex[i] = moved[y.vertex[i]];
  });
  y.keys.swap(keys);
  y.heavy.swap(heavy);
}

/// Of linked, [axes, 2, words]: reverses the axes of the vertices from `first` on.
void reverse_axes(int32_t* linked, int64_t axes, int64_t words, int64_t first) {
  for (int64_t i = 0; i < axes / 2; ++i)
    for (int64_t side = 0; side < 2; ++side) {
      int32_t *const a = linked + (2 * i + side) * words, *const b = linked + (2 * (axes - 1 - i) + side) * words;
      for (int64_t w = first / 32; w < words; ++w) {
        const uint32_t which = w > first / 32 ? ~0u : ~0u << (first % 32);
        const uint32_t different = (uint32_t(a[w]) ^ uint32_t(b[w])) & which;
        a[w] = int32_t(uint32_t(a[w]) ^ different);
        b[w] = int32_t(uint32_t(b[w]) ^ different);
      }
    }
}

/// Nothing where points would touch fewer than `least` vertices of a copy.
template <class T, int D, class Key>
std::optional<Lattice> build(const Tensor& features, const KeyLayout<Key, D>& layout, const Form& form, int64_t least) {
  const int64_t n = features.shape()[0], corners = form.copies * (D + 1);
  const Device device = features.device();
  Scratch<int32_t> vertex(corners * n);  // of a chunk, until all are numbered
  Scratch<T> weight(corners * n);
  std::vector<Located<T, Key>> chunks((n + kChunk - 1) / kChunk);
  parallel_for(n, kChunk, [&](int64_t first, int64_t last) {
    chunks[first / kChunk] =
        locate_chunk<T, D>(features.template data<T>(), form, layout, n, first, last, vertex.data(), weight.data());
  });
  Numbering<Key> numbering = number_vertices(chunks, layout.bits, n);
  const auto vertices = [&] { return int64_t(numbering.keys.size()); };
  if (vertices() < least * form.copies) return {};
  const auto bridge = [&]<int Axes>() {
    add_vertices(numbering, bridging_vertices<Axes>(numbering.keys, numbering.heavy, layout));
  };
  if (form.bridged) bridge.template operator()<2>();
  if (form.bridged && form.rounds == 1 && n < Lattice::kSmall) bridge.template operator()<3>();
  if (form.rounds > 1)
    for (int i = 0; i < 3 && (i == 0 || vertices() < enough_vertices(n) * form.copies); ++i)
      bridge.template operator()<2>();

  Lattice y;
  y.points = n;
  y.dimensions = D;
  y.vertices = vertices();
  y.bridged = form.bridged;
  y.copies = form.copies;
  y.rounds = form.rounds;
  y.dtype = features.dtype();
  const auto each_corner = [&](const auto& keep) {  // keep(e, vertex, weight)
    parallel_for(n, kChunk, [&](int64_t first, int64_t last) {
      const int32_t* const number = numbering.vertex.data() + numbering.begin[first / kChunk];
      for (int64_t k = 0; k < corners; ++k)
        for (int64_t e = k * n + first; e < k * n + last; ++e) keep(e, number[vertex[e]], weight[e]);
    });
  };
  if (form.bridged && can_pack(y.vertices)) {
    y.packed = Tensor({corners, n}, DType::i32, device);
    each_corner([words = y.packed.template data<int32_t>(), bits = PackedCorners<T>::bits_for(y.vertices)](
                    int64_t e, int32_t v, T w) { words[e] = int32_t(PackedCorners<T>::pack(v, w, bits)); });
  } else {
    y.vertex = Tensor({corners, n}, DType::i32, device);
    y.weight = Tensor({corners, n}, features.dtype(), device);
    each_corner([vertices = y.vertex.template data<int32_t>(), weights = y.weight.template data<T>()](
                    int64_t e, int32_t v, T w) { vertices[e] = v, weights[e] = w; });
  }

  const int64_t words = link_words(y.vertices);
  y.linked = Tensor({D + 1, 2, words}, DType::i32, device);
  int32_t* const linked = y.linked.template data<int32_t>();
  parallel_chunks(D + 1, [&](int64_t i) {
    link_neighbours(numbering.keys, layout.along[i], linked + 2 * i * words, linked + (2 * i + 1) * words);
  });
  if (form.copies == 2) {
    const auto second = std::lower_bound(numbering.keys.begin(), numbering.keys.end(), layout.copy);
    reverse_axes(linked, D + 1, words, second - numbering.keys.begin());
  }
  return y;
}

template <class T, int D>
std::optional<Lattice> build(const Tensor& features, const Form& form, int64_t least) {
  const int64_t n = features.shape()[0];
  check(n * form.copies * (D + 1) < (int64_t(1) << 31), "lattice: {} points are too many", n);
  const Extent<T, D> e = extent<T, D>(features.template data<T>(), n, form.stretch);
  check(e.inside, "lattice: a feature is not finite or beyond about 10^5 deviations: is a theta too small?");
  const auto layout = [&]<class Key>() { return KeyLayout<Key, D>(e.low.data(), e.high.data(), form.copies); };
  if constexpr (sizeof(T) == 4) {
    const auto narrow = layout.template operator()<uint32_t>();
    if (narrow.fits()) return build<T, D, uint32_t>(features, narrow, form, least);
  }
  const auto middle = layout.template operator()<uint64_t>();
  if (middle.fits()) return build<T, D, uint64_t>(features, middle, form, least);
  return build<T, D, WideKey>(features, layout.template operator()<WideKey>(), form, least);
}

template <class T, int D>
Lattice build(const Tensor& features, bool bridged) {
  if (!bridged) return *build<T, D>(features, {.bridged = false, .stretch = 1, .rounds = 1, .copies = 1}, 0);
  const int64_t n = features.shape()[0];
  Form form{.bridged = true, .stretch = 1.05, .rounds = 1, .copies = Lattice::copies_of(n, true)};
  if (n >= Lattice::kSmall && n < Lattice::kLarge) {
    if (const auto y = build<T, D>(features, form, int64_t(kMany * double(n)))) return *y;
    form.copies = 2;
  }
  if (const auto y = build<T, D>(features, form, least_vertices(n))) return *y;
  form.stretch *= std::sqrt(1.75);
  form.rounds = 2;
  return *build<T, D>(features, form, 0);
}

}  // namespace

Lattice build_lattice(const Tensor& features, bool bridged) {
  const Shape& s = features.shape();
  check(s.rank() == 2 && s[0] >= 1 && s[1] >= 1 && s[1] <= Lattice::kMaxDimensions,
        "lattice: features {} must be [points, 1..{}]", s, Lattice::kMaxDimensions);
  if (features.device() == Device::plan) return plan_lattice(features, bridged);
  check(features.device() != Device::cuda, "lattice: build it in host memory, then move it with to()");
  return visit_float(features.dtype(), "lattice", [&]<class T>() {
    switch (s[1]) {
      case 1:
        return build<T, 1>(features, bridged);
      case 2:
        return build<T, 2>(features, bridged);
      case 3:
        return build<T, 3>(features, bridged);
      case 4:
        return build<T, 4>(features, bridged);
      case 5:
        return build<T, 5>(features, bridged);
      default:
        return build<T, 6>(features, bridged);
    }
  });
}

}  // namespace tensor
