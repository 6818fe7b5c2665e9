/// Tensor: a dense row-major block of numbers on one device. It knows nothing of gradients.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tensor/check.h"
#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace tensor {

/// One block of memory on one device, freed with its last owner.
class Storage {
 public:
  Storage(Device device, int64_t bytes);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  Device device() const { return device_; }
  int64_t bytes() const { return bytes_; }
  void* data() const { return data_; }

 private:
  Device device_;
  int64_t bytes_;
  void* data_;
};

/// Copying a Tensor shares its memory; clone() copies it. Images are [N, H, W, C], weights [K, R, S, C], always
/// contiguous.
class Tensor {
 public:
  /// Undefined: no memory, no shape.
  Tensor() = default;
  /// Uninitialised memory.
  Tensor(Shape shape, DType dtype, Device device);
  /// Memory that exists already, seen with these extents. Throws when it is too small.
  Tensor(Shape shape, DType dtype, std::shared_ptr<Storage> storage)
      : shape_(shape), dtype_(dtype), storage_(std::move(storage)) {
    check(storage_ && bytes() <= storage_->bytes(), "tensor: shape {} of {} does not fit its memory", shape,
          name(dtype));
  }
  /// Copies `values` (row-major) to `device`. Throws unless shape.count() == values.size().
  template <class T>
  static Tensor from(const std::vector<T>& values, Shape shape, Device device) {
    check(int64_t(values.size()) == shape.count(), "from: {} values for shape {}", values.size(), shape);
    return from_bytes(values.data(), shape, dtype_of<T>, device);
  }
  static Tensor from_bytes(const void* host, Shape shape, DType dtype, Device device);

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  Device device() const { return storage_ ? storage_->device() : Device::reference; }
  int64_t size() const { return storage_ ? shape_.count() : 0; }
  int64_t bytes() const { return size() * int64_t(size_of(dtype_)); }

  /// The elements, in device memory. Throws when T is not dtype().
  template <class T>
  T* data() const {
    check(dtype_of<T> == dtype_, "data: tensor {} holds {}, not {}", shape_, name(dtype_), name(dtype_of<T>));
    return static_cast<T*>(raw());
  }
  void* raw() const { return storage_ ? storage_->data() : nullptr; }
  /// The memory itself: a weak pointer to it tells whether the tensor still lives.
  const std::shared_ptr<Storage>& storage() const { return storage_; }

  /// The same memory with other extents. Throws when the number of elements differs.
  Tensor reshape(Shape shape) const;
  /// This tensor on `device`: itself when it is there already, else a copy.
  Tensor to(Device device) const;
  /// A copy in memory of its own.
  Tensor clone() const;
  /// True when no other Tensor shares the memory.
  bool unique() const { return storage_.use_count() == 1; }
  /// The elements as doubles on the host, whatever the dtype and device.
  std::vector<double> to_vector() const;
  /// The only element. Throws unless size() == 1.
  double item() const;
  /// Shape, dtype, device and the first values, for people.
  std::string to_string() const;

 private:
  Shape shape_;
  DType dtype_ = DType::f32;
  std::shared_ptr<Storage> storage_;
};

/// Calls f.template operator()<float>() or <double>(). Throws for other types, naming `what`.
template <class F>
decltype(auto) visit_float(DType t, const char* what, F&& f) {
  check(t == DType::f32 || t == DType::f64, "{}: needs f32 or f64, not {}", what, name(t));
  return t == DType::f64 ? f.template operator()<double>() : f.template operator()<float>();
}

}  // namespace tensor
