/// Extents of a dense row-major array; prints as [2, 64, 64, 3].
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "tensor/check.h"

namespace tensor {

/// Up to 6 extents, each >= 0. A scalar is [1]; the empty shape [] has one element.
class Shape {
 public:
  static constexpr int kMaxRank = 6;
  Shape() = default;
  Shape(std::initializer_list<int64_t> extents) : Shape(extents.begin(), extents.end()) {}
  explicit Shape(const std::vector<int64_t>& extents) : Shape(extents.begin(), extents.end()) {}

  int rank() const { return rank_; }
  /// Extent i; a negative i counts from the end.
  int64_t operator[](int i) const;
  /// Number of elements: the product of all extents.
  int64_t count() const {
    int64_t n = 1;
    for (int i = 0; i < rank_; ++i) n *= extents_[i];
    return n;
  }
  const int64_t* begin() const { return extents_.data(); }
  const int64_t* end() const { return extents_.data() + rank_; }
  /// The same extents but for axis i.
  Shape with(int i, int64_t extent) const {
    Shape s = *this;
    s.extents_[i < 0 ? i + rank_ : i] = extent;
    return s;
  }
  bool operator==(const Shape& o) const {
    if (rank_ != o.rank_) return false;
    for (int i = 0; i < rank_; ++i)
      if (extents_[i] != o.extents_[i]) return false;
    return true;
  }

 private:
  template <class It>
  Shape(It first, It last) {
    for (; first != last; ++first) {
      check(rank_ < kMaxRank, "shape: more than {} axes", int(kMaxRank));
      check(*first >= 0, "shape: extent {} is negative", int64_t(*first));
      extents_[rank_++] = *first;
    }
  }
  std::array<int64_t, kMaxRank> extents_{};
  int rank_ = 0;
};

}  // namespace tensor

template <>
struct fmt::formatter<tensor::Shape> : fmt::formatter<std::string> {
  auto format(const tensor::Shape& s, fmt::format_context& ctx) const {
    std::string text = "[";
    for (const int64_t e : s) text += (text.size() > 1 ? ", " : "") + std::to_string(e);
    return fmt::formatter<std::string>::format(text + "]", ctx);
  }
};

inline int64_t tensor::Shape::operator[](int i) const {
  const int at = i < 0 ? i + rank_ : i;
  check(at >= 0 && at < rank_, "shape {} has no axis {}", *this, i);
  return extents_[at];
}
