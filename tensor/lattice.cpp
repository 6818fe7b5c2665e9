/// Building the permutohedral lattice: locate, number the vertices, invert the incidence, link the neighbours.
#include "tensor/lattice.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "tensor/backend.h"
#include "tensor/lattice_points.h"
#include "tensor/parallel.h"

namespace tensor {
namespace {

constexpr int64_t kChunk = 4096;  // points; a multiple of the locator's lanes

/// Numbers keys in the order in which they are first seen.
class VertexTable {
 public:
  explicit VertexTable(int64_t expected) {
    int64_t slots = 1024;
    while (slots < expected * 2) slots *= 2;
    slots_.assign(slots, -1);
    keys_.reserve(expected);
  }
  int32_t number(const VertexKey& key) {
    if (2 * keys_.size() >= slots_.size()) grow();
    int32_t& slot = find(key);
    if (slot < 0) {
      slot = int32_t(keys_.size());
      keys_.push_back(key);
    }
    return slot;
  }
  /// -1 when absent.
  int32_t lookup(const VertexKey& key) const { return const_cast<VertexTable*>(this)->find(key); }
  const std::vector<VertexKey>& keys() const { return keys_; }

 private:
  std::vector<int32_t> slots_;
  std::vector<VertexKey> keys_;

  int32_t& find(const VertexKey& key) {
    const uint64_t mask = slots_.size() - 1;
    uint64_t at = key.hash() & mask;
    while (slots_[at] >= 0 && !(keys_[slots_[at]] == key)) at = (at + 1) & mask;
    return slots_[at];
  }
  void grow() {
    slots_.assign(slots_.size() * 2, -1);
    for (size_t i = 0; i < keys_.size(); ++i) find(keys_[i]) = int32_t(i);
  }
};

/// One chunk's points with vertices numbered within the chunk; `count` is each vertex's number of incidences.
struct Chunk {
  std::vector<VertexKey> keys;
  std::vector<int32_t> count, global, place;
};

template <class T, int D>
Chunk locate_chunk(const T* features, int64_t first, int64_t last, int32_t* vertex, T* weight, bool& inside) {
  static const VertexSteps<D> steps;
  PointLocator<T, D> locator;
  constexpr int kLanes = PointLocator<T, D>::kLanes;
  VertexTable table(512);
  Chunk chunk;
  // Neighbouring pixels mostly share corners: the last corner of the same remainder is tried before the table.
  VertexKey recent_key[D + 1];
  int32_t recent[D + 1];
  std::fill(recent, recent + D + 1, -1);
  for (int64_t p = first; p < last; p += kLanes) {
    const int count = int(std::min<int64_t>(kLanes, last - p));
    if (!locator.locate(features + p * D, count)) {
      inside = false;
      return chunk;
    }
    for (int l = 0; l < count; ++l) {
      VertexKey key = locator.first[l];
      for (int k = 0; k <= D; ++k) {
        if (recent[k] < 0 || !(recent_key[k] == key)) {
          recent[k] = table.number(key);
          recent_key[k] = key;
          chunk.count.resize(table.keys().size(), 0);
        }
        ++chunk.count[recent[k]];
        vertex[(p + l) * (D + 1) + k] = recent[k];
        weight[(p + l) * (D + 1) + k] = locator.weight[l][k];
        key = key + steps.along[locator.axis[l][k]];
      }
    }
  }
  chunk.keys = table.keys();
  return chunk;
}

template <class T, int D>
Lattice build(const Tensor& features) {
  const int64_t n = features.shape()[0], corners = n * (D + 1);
  const Device device = features.device();
  check(corners < (int64_t(1) << 31), "lattice: {} points are too many", n);
  Lattice y;
  y.points = n;
  y.dimensions = D;
  y.vertex = Tensor({n, D + 1}, DType::i32, device);
  y.weight = Tensor({n, D + 1}, features.dtype(), device);
  int32_t* const vertex = y.vertex.template data<int32_t>();
  T* const weight = y.weight.template data<T>();
  const T* const f = features.template data<T>();

  const int64_t chunk_count = (n + kChunk - 1) / kChunk;
  std::vector<Chunk> chunks(chunk_count);
  std::atomic<bool> all_inside = true;
  parallel_chunks(chunk_count, [&](int64_t c) {
    bool inside = true;
    chunks[c] = locate_chunk<T, D>(f, c * kChunk, std::min(n, (c + 1) * kChunk), vertex, weight, inside);
    if (!inside) all_inside = false;
  });
  check(all_inside, "lattice: a feature is not finite or beyond about 10^5 deviations: is a theta too small?");

  // Chunks in order, so that the numbering is that of one pass over all points.
  int64_t expected = 0;
  for (const Chunk& c : chunks) expected += int64_t(c.keys.size());
  VertexTable table(expected);
  std::vector<int32_t> start;
  start.reserve(expected + 1);
  for (Chunk& c : chunks) {
    c.global.resize(c.keys.size());
    c.place.resize(c.keys.size());
    for (size_t i = 0; i < c.keys.size(); ++i) {
      const int32_t v = c.global[i] = table.number(c.keys[i]);
      if (v == int32_t(start.size())) start.push_back(0);
      c.place[i] = start[v];  // within the vertex's range; its place in the row comes later
      start[v] += c.count[i];
    }
  }
  const int64_t v_count = y.vertices = int64_t(start.size());
  y.splat_start = Tensor({v_count + 1}, DType::i32, device);
  y.splat_point = Tensor({corners}, DType::i32, device);
  y.splat_weight = Tensor({corners}, features.dtype(), device);
  y.neighbour = Tensor({D + 1, v_count, 2}, DType::i32, device);
  int32_t* const splat_start = y.splat_start.template data<int32_t>();
  int32_t* const splat_point = y.splat_point.template data<int32_t>();
  T* const splat_weight = y.splat_weight.template data<T>();
  int32_t* const neighbour = y.neighbour.template data<int32_t>();
  splat_start[0] = 0;
  for (int64_t v = 0; v < v_count; ++v) splat_start[v + 1] = splat_start[v] + start[v];

  static const VertexSteps<D> steps;
  const std::vector<VertexKey>& keys = table.keys();
  parallel_chunks(chunk_count, [&](int64_t c) {
    Chunk& chunk = chunks[c];
    for (size_t i = 0; i < chunk.keys.size(); ++i) chunk.place[i] += splat_start[chunk.global[i]];
    for (int64_t e = c * kChunk * (D + 1); e < std::min(n, (c + 1) * kChunk) * (D + 1); ++e) {
      const int32_t local = vertex[e], at = chunk.place[local]++;
      vertex[e] = chunk.global[local];
      splat_point[at] = int32_t(e / (D + 1));
      splat_weight[at] = weight[e];
    }
  });
  constexpr int64_t kGrain = 4096;
  parallel_for((D + 1) * v_count, kGrain, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) neighbour[2 * i] = int32_t(v_count);
  });
  // The vertex after v along an axis has v before it: one look-up serves both.
  parallel_for((D + 1) * v_count, kGrain, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t axis = i / v_count, v = i % v_count;
      const int32_t after = table.lookup(keys[v] + steps.along[axis]);
      neighbour[2 * i + 1] = after < 0 ? int32_t(v_count) : after;
      if (after >= 0) neighbour[(axis * v_count + after) * 2] = int32_t(v);
    }
  });
  return y;
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
