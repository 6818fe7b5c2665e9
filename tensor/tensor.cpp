/// Storage comes from the arena of its device; copies between devices go through the host.
#include "tensor/tensor.h"

#include <algorithm>

#include "tensor/machine/allocator.h"
#include "tensor/machine/device_memory.h"

namespace tensor {

Storage::Storage(Device device, int64_t bytes) : device_(device), bytes_(bytes), data_(allocate(device, bytes)) {}
Storage::~Storage() { release(device_, data_); }

Tensor::Tensor(Shape shape, DType dtype, Device device) : shape_(std::move(shape)), dtype_(dtype) {
  try {
    storage_ = std::make_shared<Storage>(device, shape_.count() * int64_t(size_of(dtype)));
  } catch (const OutOfMemory& e) {
    throw OutOfMemory(e.device, fmt::format("a tensor {} {}", name(dtype), shape_), e.asked, e.live, e.limit);
  }
}

Tensor Tensor::from_bytes(const void* host, Shape shape, DType dtype, Device device) {
  Tensor t(std::move(shape), dtype, device);
  device_memory(device).copy_from_host(t.raw(), host, t.bytes());
  return t;
}

Tensor Tensor::reshape(Shape shape) const {
  check(shape.count() == shape_.count(), "reshape: {} has {} elements, {} has {}", shape_, shape_.count(), shape,
        shape.count());
  Tensor t = *this;
  t.shape_ = std::move(shape);
  return t;
}

Tensor Tensor::to(Device device) const {
  check(defined(), "to({}): the tensor is undefined", name(device));
  if (device == this->device()) return *this;
  std::vector<char> host(size_t(bytes()), 0);
  device_memory(this->device()).copy_to_host(host.data(), raw(), bytes());
  return from_bytes(host.data(), shape_, dtype_, device);
}

Tensor Tensor::clone() const {
  check(defined(), "clone: the tensor is undefined");
  Tensor t(shape_, dtype_, device());
  device_memory(device()).copy(t.raw(), raw(), bytes());
  return t;
}

std::vector<double> Tensor::to_vector() const {
  check(defined(), "to_vector: the tensor is undefined");
  std::vector<char> host(size_t(bytes()), 0);
  device_memory(device()).copy_to_host(host.data(), raw(), bytes());
  std::vector<double> values(static_cast<size_t>(size()));
  const auto read = [&]<class T>() {
    const T* from = reinterpret_cast<const T*>(host.data());
    std::copy(from, from + values.size(), values.begin());
  };
  switch (dtype_) {
    case DType::f32:
      read.template operator()<float>();
      break;
    case DType::f64:
      read.template operator()<double>();
      break;
    case DType::bf16:
      read.template operator()<BFloat16>();
      break;
    case DType::i32:
      read.template operator()<int32_t>();
      break;
    default:
      read.template operator()<uint8_t>();
      break;
  }
  return values;
}

double Tensor::item() const {
  check(size() == 1, "item: tensor {} has {} elements, not one", shape_, size());
  return to_vector()[0];
}

std::string Tensor::to_string() const {
  if (!defined()) return "undefined tensor";
  std::string text = fmt::format("{} {} {}:", shape_, name(dtype_), name(device()));
  const auto values = to_vector();
  for (size_t i = 0; i < std::min<size_t>(values.size(), 8); ++i) text += fmt::format(" {:.6g}", values[i]);
  return text + (values.size() > 8 ? " ..." : "");
}

}  // namespace tensor
