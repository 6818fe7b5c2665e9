/// Images whose channels lie in several places.
#pragma once
#include <cstddef>
#include <utility>
#include <vector>

namespace tensor {

/// An image [N,H,W,C] in one piece, or in several of the same N, H, W whose channels lie side by side, as concat would
/// join them. T: Tensor, or what stands for one.
template <class T>
class Parts {
 public:
  Parts(T whole) { parts_.push_back(std::move(whole)); }  // NOLINT: an image is its only part
  explicit Parts(std::vector<T> parts) : parts_(std::move(parts)) {}
  bool whole() const { return parts_.size() == 1; }
  /// The image, which is whole.
  const T& only() const { return parts_.front(); }
  size_t size() const { return parts_.size(); }
  const T& operator[](size_t i) const { return parts_[i]; }
  auto begin() const { return parts_.begin(); }
  auto end() const { return parts_.end(); }

 private:
  std::vector<T> parts_;
};

}  // namespace tensor
