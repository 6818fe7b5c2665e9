/// Building the permutohedral lattice: locate the points, number the vertices, invert the incidence, link the
/// neighbours.
#include "tensor/lattice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "tensor/backend.h"
#include "tensor/lattice_keys.h"
#include "tensor/lattice_points.h"
#include "tensor/parallel.h"

namespace tensor {
namespace {

constexpr int64_t kChunk = 4096;    // points; a multiple of the locator's lanes
constexpr int64_t kLinked = 16384;  // vertices that one thread links to their neighbours

/// The vertices that some points touch, numbered as they first do, and the incidences of each.
template <class Key>
struct Chunk {
  std::vector<Key> keys;
  std::vector<int32_t> count;
};

/// The vertices of all chunks, ascending. Chunk c's vertex i is vertex[begin[c] + i], and of that vertex's incidences,
/// start[v] .. start[v + 1], the chunk's begin at place[begin[c] + i].
template <class Key>
struct Numbering {
  std::vector<Key> keys;
  std::vector<int32_t> start, vertex, place;
  std::vector<uint32_t> begin;
};

/// The extremes of the points' coordinates on the lattice's hyperplane, and whether all are finite and small enough.
template <class T, int D>
struct Extent {
  std::array<T, D + 1> low, high;
  bool inside = true;

  Extent() {
    low.fill(PointLocator<T, D>::kLargest);
    high.fill(-PointLocator<T, D>::kLargest);
  }
  void add(const T* features, int64_t first, int64_t last) {
    using Locator = PointLocator<T, D>;
    Locator locator;
    for (int64_t p = first; p < last; p += Locator::kLanes) {
      locator.elevate(features + p * D, int(std::min<int64_t>(Locator::kLanes, last - p)));
      for (int i = 0; i <= D; ++i)
        for (int l = 0; l < Locator::kLanes; ++l) {
          const T e = locator.elevated[i][l];
          inside &= std::abs(e) < Locator::kLargest;
          low[i] = std::min(low[i], e);
          high[i] = std::max(high[i], e);
        }
    }
  }
  void add(const Extent& o) {
    inside &= o.inside;
    for (int i = 0; i <= D; ++i) {
      low[i] = std::min(low[i], o.low[i]);
      high[i] = std::max(high[i], o.high[i]);
    }
  }
};

template <class T, int D>
Extent<T, D> extent(const T* features, int64_t n) {
  std::vector<Extent<T, D>> chunks((n + kChunk - 1) / kChunk);
  parallel_for(n, kChunk, [&](int64_t first, int64_t last) { chunks[first / kChunk].add(features, first, last); });
  Extent<T, D> all;
  for (const auto& chunk : chunks) all.add(chunk);
  return all;
}

/// Points of one chunk: their corners, numbered within the chunk, and weights.
template <class T, int D, class Key>
Chunk<Key> locate_chunk(const T* features, const KeyLayout<Key, D>& layout, int64_t first, int64_t last,
                        int32_t* vertex, T* weight) {
  PointLocator<T, D> locator;
  constexpr int kLanes = PointLocator<T, D>::kLanes;
  Key key[kLanes][D + 1];
  KeyTable<Key> table;
  Chunk<Key> chunk;
  chunk.count.assign((last - first) * (D + 1), 0);
  for (int64_t p = first; p < last; p += kLanes) {
    const int count = int(std::min<int64_t>(kLanes, last - p));
    locator.elevate(features + p * D, count);
    locator.locate(layout, key);
    for (int l = 0; l < count; ++l)
      for (int k = 0; k <= D; ++k) {
        const int32_t number = table.number(key[l][k]);
        ++chunk.count[number];
        vertex[(p + l) * (D + 1) + k] = number;
        weight[(p + l) * (D + 1) + k] = locator.weight[k][l];
      }
  }
  chunk.keys = table.keys();
  return chunk;
}

template <class Key>
Numbering<Key> number_vertices(const std::vector<Chunk<Key>>& chunks, int bits) {
  Numbering<Key> y;
  y.begin.push_back(0);
  for (const Chunk<Key>& c : chunks) y.begin.push_back(y.begin.back() + uint32_t(c.keys.size()));
  std::vector<KeyItem<Key>> items(y.begin.back());
  y.vertex.resize(items.size());
  y.place.resize(items.size());
  parallel_chunks(int64_t(chunks.size()), [&](int64_t c) {
    for (size_t i = 0, at = y.begin[c]; i < chunks[c].keys.size(); ++i, ++at) {
      items[at] = {chunks[c].keys[i], uint32_t(at)};
      y.place[at] = chunks[c].count[i];
    }
  });
  sort_keys(items, bits);
  y.keys.reserve(items.size());
  y.start.reserve(items.size() + 1);
  int32_t incidences = 0;
  for (const KeyItem<Key>& item : items) {  // of one vertex, those of earlier chunks come first
    if (y.keys.empty() || y.keys.back() != item.key) {
      y.keys.push_back(item.key);
      y.start.push_back(incidences);
    }
    y.vertex[item.id] = int32_t(y.keys.size() - 1);
    const int32_t count = y.place[item.id];
    y.place[item.id] = incidences;
    incidences += count;
  }
  y.start.push_back(incidences);
  return y;
}

/// Of one block, writes neighbour[2 w] = v and neighbour[2 v + 1] = w where keys[w] = keys[v] + step, and the number of
/// vertices where there is none.
template <class Key>
void link_neighbours(const std::vector<Key>& keys, Key step, int64_t block, int64_t blocks, int32_t* neighbour) {
  const int32_t absent = int32_t(keys.size());
  const KeyRange range = key_block(keys, step, block, blocks);
  int64_t v = range.first, w = range.among;
  while (v < range.last && w < range.end) {  // the last writes count; no branch on the keys, which cannot be foretold
    const Key wanted = keys[v] + step, have = keys[w];
    neighbour[2 * v + 1] = wanted == have ? int32_t(w) : absent;
    neighbour[2 * w] = wanted == have ? int32_t(v) : absent;
    v += wanted <= have;
    w += have <= wanted;
  }
  for (; v < range.last; ++v) neighbour[2 * v + 1] = absent;
  for (; w < range.end; ++w) neighbour[2 * w] = absent;
}

template <class T, int D, class Key>
Lattice build(const Tensor& features, const KeyLayout<Key, D>& layout) {
  const int64_t n = features.shape()[0], corners = n * (D + 1);
  const Device device = features.device();
  Lattice y;
  y.points = n;
  y.dimensions = D;
  y.vertex = Tensor({n, D + 1}, DType::i32, device);
  y.weight = Tensor({n, D + 1}, features.dtype(), device);
  int32_t* const vertex = y.vertex.template data<int32_t>();
  T* const weight = y.weight.template data<T>();

  std::vector<Chunk<Key>> chunks((n + kChunk - 1) / kChunk);
  parallel_for(n, kChunk, [&](int64_t first, int64_t last) {
    chunks[first / kChunk] = locate_chunk<T, D>(features.template data<T>(), layout, first, last, vertex, weight);
  });
  Numbering<Key> numbering = number_vertices(chunks, layout.bits);

  const int64_t v_count = y.vertices = int64_t(numbering.keys.size());
  y.splat_start = Tensor({v_count + 1}, DType::i32, device);
  y.splat_point = Tensor({corners}, DType::i32, device);
  y.splat_weight = Tensor({corners}, features.dtype(), device);
  y.neighbour = Tensor({D + 1, v_count, 2}, DType::i32, device);
  std::copy(numbering.start.begin(), numbering.start.end(), y.splat_start.template data<int32_t>());
  int32_t* const splat_point = y.splat_point.template data<int32_t>();
  T* const splat_weight = y.splat_weight.template data<T>();
  parallel_for(n, kChunk, [&](int64_t first, int64_t last) {
    const int64_t c = first / kChunk;
    const int32_t* const number = numbering.vertex.data() + numbering.begin[c];
    int32_t* const place = numbering.place.data() + numbering.begin[c];
    for (int64_t p = first; p < last; ++p)
      for (int64_t e = p * (D + 1); e < (p + 1) * (D + 1); ++e) {
        const int32_t at = place[vertex[e]]++;
        vertex[e] = number[vertex[e]];
        splat_point[at] = int32_t(p);
        splat_weight[at] = weight[e];
      }
  });

  const int64_t blocks = v_count / kLinked + 1;
  parallel_chunks((D + 1) * blocks, [&](int64_t c) {
    const int64_t i = c / blocks;
    link_neighbours(numbering.keys, layout.along[i], c % blocks, blocks,
                    y.neighbour.template data<int32_t>() + i * v_count * 2);
  });
  return y;
}

template <class T, int D>
Lattice build(const Tensor& features) {
  const int64_t n = features.shape()[0];
  check(n * (D + 1) < (int64_t(1) << 31), "lattice: {} points are too many", n);
  const Extent<T, D> e = extent<T, D>(features.template data<T>(), n);
  check(e.inside, "lattice: a feature is not finite or beyond about 10^5 deviations: is a theta too small?");
  const KeyLayout<uint64_t, D> narrow(e.low.data(), e.high.data());
  if (narrow.fits()) return build<T, D, uint64_t>(features, narrow);
  return build<T, D, WideKey>(features, KeyLayout<WideKey, D>(e.low.data(), e.high.data()));
}

/// Fitted to square photographs of 64 to 512 pixels a side, deviations (160 side / 500, 3): 2.7 vertices a pixel for
/// the smallest, 200 / side for the others. In the plane, 3 pixels a deviation: one for 7 pixels.
int64_t planned_vertices(int64_t points, int64_t dimensions) {
  if (dimensions <= 2) return points / 7 + 1;
  return int64_t(std::min(2.7 * double(points), 200 * std::sqrt(double(points))));
}

Lattice plan_lattice(const Tensor& features) {
  const int64_t n = features.shape()[0], d = features.shape()[1], v = planned_vertices(n, d);
  const DType t = features.dtype();
  const Device device = features.device();
  return {n,
          d,
          v,
          Tensor({n, d + 1}, DType::i32, device),
          Tensor({n, d + 1}, t, device),
          Tensor({v + 1}, DType::i32, device),
          Tensor({n * (d + 1)}, DType::i32, device),
          Tensor({n * (d + 1)}, t, device),
          Tensor({d + 1, v, 2}, DType::i32, device)};
}

}  // namespace

int64_t Lattice::bytes() const {
  return vertex.bytes() + weight.bytes() + splat_start.bytes() + splat_point.bytes() + splat_weight.bytes() +
         neighbour.bytes();
}

Lattice Lattice::to(Device device) const {
  return {points,
          dimensions,
          vertices,
          vertex.to(device),
          weight.to(device),
          splat_start.to(device),
          splat_point.to(device),
          splat_weight.to(device),
          neighbour.to(device)};
}

Lattice build_lattice(const Tensor& features) {
  const Shape& s = features.shape();
  check(s.rank() == 2 && s[0] >= 1 && s[1] >= 1 && s[1] <= Lattice::kMaxDimensions,
        "lattice: features {} must be [points, 1..{}]", s, Lattice::kMaxDimensions);
  if (features.device() == Device::plan) return plan_lattice(features);
  check(features.device() != Device::cuda, "lattice: build it in host memory, then move it with to()");
  return visit_float(features.dtype(), "lattice", [&]<class T>() {
    switch (s[1]) {
      case 1:
        return build<T, 1>(features);
      case 2:
        return build<T, 2>(features);
      case 3:
        return build<T, 3>(features);
      case 4:
        return build<T, 4>(features);
      case 5:
        return build<T, 5>(features);
      default:
        return build<T, 6>(features);
    }
  });
}

}  // namespace tensor
