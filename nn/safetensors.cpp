/// The safetensors format.
#include "nn/safetensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>

#include "nn/hash.h"
#include "nn/json_text.h"
#include "tensor/bfloat16.h"
#include "tensor/machine/atomic_file.h"
#include "tensor/visit_number.h"

namespace nn {

using nlohmann::json;
using tensor::check;
using tensor::DType;
using tensor::Error;
using tensor::require;
using tensor::Shape;
using tensor::Tensor;

namespace {

// The format allows 100 MB; the networks here need less than one, and a value of that size takes gigabytes.
constexpr uint64_t kMaxHeaderBytes = 16'000'000;
constexpr size_t kMaxAxes = 16;
constexpr const char* kChecksum = "checksum";
constexpr const char* kWriter = "writer";  // marks files that must have a checksum: damage to its very name is seen
constexpr const char* kNoChecksum = "0000000000000000";

constexpr const char* kWebPage = "a web page, not the file: download it again";
constexpr const char* kTypes = "F32, F64, F16, BF16, I64, I32, U8";

int64_t bytes_of(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64") return 8;
  if (dtype == "F32" || dtype == "I32") return 4;
  if (dtype == "F16" || dtype == "BF16") return 2;
  if (dtype == "U8") return 1;
  return 0;
}

/// IEEE 754's binary16: a sign, 5 bits of exponent, 10 of mantissa.
struct Float16 {
  uint16_t bits;
  operator float() const {
    const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    const float size = exponent == 31  ? (mantissa ? NAN : INFINITY)
                       : exponent == 0 ? std::ldexp(float(mantissa), -24)
                                       : std::ldexp(float(mantissa + 1024), exponent - 25);
    return bits >> 15 ? -size : size;
  }
};

/// Calls f.template operator()<T>() with the element type of `dtype`.
template <class F>
decltype(auto) visit_stored(const std::string& dtype, F&& f) {
  if (dtype == "F64") return f.template operator()<double>();
  if (dtype == "I64") return f.template operator()<int64_t>();
  if (dtype == "I32") return f.template operator()<int32_t>();
  if (dtype == "U8") return f.template operator()<uint8_t>();
  if (dtype == "F16") return f.template operator()<Float16>();
  if (dtype == "BF16") return f.template operator()<tensor::BFloat16>();
  check(dtype == "F32", "safetensors: element type {} is not one of {}", dtype, kTypes);
  return f.template operator()<float>();
}

/// Where element i of [n][h][w][c] lies in [n][c][h][w]: one pass over the file's order.
template <class Move>
void for_each_permuted(int64_t n, int64_t h, int64_t w, int64_t c, Move&& move) {
  int64_t file = 0;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < c; ++k)
      for (int64_t p = 0; p < h * w; ++p) move(file++, (i * h * w + p) * c + k);
}

/// The checksum of a file whose header is `header`; its blocks are to be added.
Hash64 checksum_of(std::string_view header) { return Hash64(hash64(header)); }
std::string checksum_text(const Hash64& checksum) { return fmt::format("{:016x}", checksum.value()); }

template <class T>
StoredTensor own(const char* dtype, const std::vector<T>& values, std::vector<int64_t> extents) {
  StoredTensor s{dtype, std::move(extents), nullptr, {}};
  check(s.count() == int64_t(values.size()), "safetensors: {} values for {} elements", values.size(), s.count());
  auto bytes = std::make_shared<std::string>(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  s.bytes = *bytes;
  s.owner = std::move(bytes);
  return s;
}

int64_t whole(const json& number, const std::string& name) {
  require(number.is_number_unsigned() && number.get<uint64_t>() <= uint64_t(INT64_MAX), "\"{}\": {} is not a size",
          name, number.dump());
  return number.get<int64_t>();
}

struct Block {
  int64_t begin, end;
  std::string name;
  StoredTensor tensor;
};

Block parse_block(const std::string& name, const json& entry, int64_t available) {
  require(entry.is_object() && entry.size() == 3 && entry.contains("dtype") && entry.contains("shape") &&
              entry.contains("data_offsets"),
          "\"{}\" is not described by dtype, shape and data_offsets", name);
  const json &dtype = entry["dtype"], &shape = entry["shape"], &offsets = entry["data_offsets"];
  require(dtype.is_string() && bytes_of(dtype.get<std::string>()) > 0, "\"{}\" has element type {}, not one of {}",
          name, dtype.dump(), kTypes);
  require(shape.is_array() && shape.size() <= kMaxAxes, "\"{}\" has no shape, or one of more than {} axes", name,
          kMaxAxes);
  require(shape.is_array() && offsets.is_array() && offsets.size() == 2, "\"{}\" has no shape or no two offsets", name);
  Block b{whole(offsets[0], name), whole(offsets[1], name), name, {}};
  require(b.begin <= b.end && b.end <= available, "\"{}\" claims bytes {} to {}, and the file has {}", name, b.begin,
          b.end, available);
  b.tensor.dtype = dtype.get<std::string>();
  int64_t bytes = bytes_of(b.tensor.dtype);
  for (const json& e : shape) {
    const int64_t extent = whole(e, name);
    // The product may overflow only past what the file can hold, unless an extent is 0.
    require(extent == 0 || bytes <= available / extent || bytes == 0, "\"{}\" has shape {}, more than the file holds",
            name, shape.dump());
    b.tensor.extents.push_back(extent);
    bytes *= extent;
  }
  require(bytes == b.end - b.begin, "\"{}\" of shape {} and type {} needs {} bytes, its offsets span {}", name,
          shape.dump(), b.tensor.dtype, bytes, b.end - b.begin);
  return b;
}

SafeTensors parse(std::string content) {
  require(content.size() >= 8, "it has {} bytes; even the header's length needs 8", content.size());
  uint64_t length;
  std::memcpy(&length, content.data(), 8);
  require(length <= kMaxHeaderBytes, "its header claims {} bytes; {} are allowed", length, uint64_t(kMaxHeaderBytes));
  require(length <= content.size() - 8, "its header claims {} bytes, and {} follow", length, content.size() - 8);
  auto header = parse_json<json>(content.substr(8, length));
  require(header.is_object(), "its header is not a JSON object");

  const auto owner = std::make_shared<const std::string>(std::move(content));
  const std::string_view blocks = std::string_view(*owner).substr(8 + length);
  SafeTensors file;
  if (header.contains("__metadata__")) {
    const json& metadata = header["__metadata__"];
    require(metadata.is_object(), "its __metadata__ is not a JSON object");
    for (const auto& [key, value] : metadata.items()) {
      require(value.is_string(), "its metadata \"{}\" is not text", key);
      file.metadata[key] = value.get<std::string>();
    }
  }
  std::vector<Block> found;
  for (const auto& [name, entry] : header.items())
    if (name != "__metadata__") found.push_back(parse_block(name, entry, int64_t(blocks.size())));
  std::sort(found.begin(), found.end(),
            [](const Block& a, const Block& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
  int64_t at = 0;
  for (Block& b : found) {
    require(b.begin == at, "\"{}\" begins at byte {}, where {} was due: blocks overlap or leave a gap", b.name, b.begin,
            at);
    at = b.end;
    b.tensor.owner = owner;
    b.tensor.bytes = blocks.substr(size_t(b.begin), size_t(b.end - b.begin));
    file.tensors[b.name] = std::move(b.tensor);
  }
  require(at == int64_t(blocks.size()), "its tensors end at byte {}, and {} follow the header", at, blocks.size());

  if (const auto claimed = file.metadata.find(kChecksum); claimed != file.metadata.end()) {
    header["__metadata__"][kChecksum] = kNoChecksum;
    Hash64 checksum = checksum_of(header.dump());
    checksum.add(blocks);
    const std::string found_sum = checksum_text(checksum);
    require(found_sum == claimed->second, "its checksum is {}, and it claims {}: some bytes were changed", found_sum,
            claimed->second);
    file.metadata.erase(claimed);
  } else {
    require(!file.metadata.count(kWriter), "its checksum is missing");
  }
  file.metadata.erase(kWriter);
  return file;
}

}  // namespace

int64_t StoredTensor::count() const {
  int64_t n = 1;
  for (const int64_t e : extents) n *= e;
  return n;
}

std::string StoredTensor::extents_text() const { return fmt::format("[{}]", fmt::join(extents, ", ")); }

std::vector<double> StoredTensor::values() const {
  std::vector<double> all(static_cast<size_t>(count()));
  visit_stored(dtype, [&]<class T>() {
    for (size_t i = 0; i < all.size(); ++i) {
      T value;
      std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
      all[i] = double(value);
    }
  });
  return all;
}

Tensor StoredTensor::to_tensor(DType to, tensor::Device device) const {
  require(extents.size() <= size_t(Shape::kMaxRank), "safetensors: a tensor with {} axes; at most {} are supported",
          extents.size(), int(Shape::kMaxRank));
  const bool permute = extents.size() == 4;
  Shape shape = extents.empty() ? Shape{1} : Shape(extents);
  if (permute) shape = Shape{extents[0], extents[2], extents[3], extents[1]};
  Tensor made;
  tensor::visit_number(to, "safetensors", [&]<class To>() {
    std::vector<To> host(static_cast<size_t>(count()));
    visit_stored(dtype, [&]<class From>() {
      const auto move = [&](int64_t file, int64_t ours) {
        From value;
        std::memcpy(&value, bytes.data() + size_t(file) * sizeof(From), sizeof(From));
        host[size_t(ours)] = To(value);
      };
      if (permute)
        for_each_permuted(shape[0], shape[1], shape[2], shape[3], move);
      else
        for (int64_t i = 0; i < int64_t(host.size()); ++i) move(i, i);
    });
    made = Tensor::from(host, shape, device);
  });
  return made;
}

const char* stored_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "F32";
    case DType::f64:
      return "F64";
    case DType::i32:
      return "I32";
    case DType::u8:
      return "U8";
    case DType::bf16:
      break;
  }
  throw Error("safetensors: bf16 tensors are not written; cast to f32 first");
}

StoredTensor stored(const Tensor& t, bool scalar) {
  const Tensor host = t.device() == tensor::Device::cuda ? t.to(tensor::Device::cpu) : t;
  const Shape& s = host.shape();
  check(!scalar || s.count() == 1, "safetensors: {} is not a scalar", s);
  std::vector<int64_t> extents(s.begin(), s.end());
  if (scalar) extents.clear();
  StoredTensor made;
  tensor::visit_number(host.dtype(), "safetensors", [&]<class T>() {
    std::vector<T> file(static_cast<size_t>(host.size()));
    const T* ours = host.data<T>();
    if (s.rank() == 4) {
      if (!scalar) extents = {s[0], s[3], s[1], s[2]};
      for_each_permuted(s[0], s[1], s[2], s[3], [&](int64_t to, int64_t from) { file[size_t(to)] = ours[from]; });
    } else {
      std::copy(ours, ours + file.size(), file.begin());
    }
    made = own(stored_type(host.dtype()), file, extents);
  });
  return made;
}

StoredTensor stored(const std::vector<double>& values, std::vector<int64_t> extents) {
  return own("F64", values, std::move(extents));
}

StoredTensor stored(const std::vector<int64_t>& values, std::vector<int64_t> extents) {
  return own("I64", values, std::move(extents));
}

SafeTensors read_safetensors(const std::string& path) {
  std::string content = tensor::read_file(path);
  for (const auto& [start, what] :
       {std::pair{"version https://git-lfs", "a Git LFS pointer: `git lfs pull` fetches the file"},
        {"<!DOCTYPE", kWebPage},
        {"<!doctype", kWebPage},
        {"<html", kWebPage},
        {"PK\3\4", "a zip, as torch.save writes it: save it by safetensors.torch.save_file"}})
    require(!content.starts_with(start), "{} is {}", path, what);
  try {
    return parse(std::move(content));
  } catch (const std::exception& e) {
    throw Error(
        fmt::format("{} is damaged or no safetensors file: {}. Write it again, or use another copy", path, e.what()));
  }
}

void write_safetensors(const std::string& path, const SafeTensors& file) {
  std::vector<Source> blocks;
  for (const auto& [name, t] : file.tensors) blocks.push_back({name, t.dtype, t.extents, [&t = t] { return t; }});
  write_safetensors(path, file.metadata, std::move(blocks));
}

void write_safetensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                       std::vector<Source> blocks) {
  json header = json::object();
  header["__metadata__"] = metadata;
  header["__metadata__"][kChecksum] = kNoChecksum;
  header["__metadata__"][kWriter] = "cris";
  int64_t at = 0;
  // Wide elements first: every block stays aligned to its element. Names of one width are in order.
  std::sort(blocks.begin(), blocks.end(), [](const Source& a, const Source& b) {
    return std::pair(-bytes_of(a.dtype), std::string_view(a.name)) <
           std::pair(-bytes_of(b.dtype), std::string_view(b.name));
  });
  std::vector<int64_t> sizes;
  for (const Source& b : blocks) {
    sizes.push_back(std::accumulate(b.extents.begin(), b.extents.end(), bytes_of(b.dtype), std::multiplies<>()));
    check(bytes_of(b.dtype) > 0 && b.name != "__metadata__", "{}: \"{}\" of type {} cannot be written", path, b.name,
          b.dtype);
    header[b.name] = {{"dtype", b.dtype}, {"shape", b.extents}, {"data_offsets", {at, at + sizes.back()}}};
    at += sizes.back();
  }
  std::string text = header.dump();
  Hash64 checksum = checksum_of(text);
  const size_t checksum_at =
      text.find(fmt::format("\"{}\":\"{}\"", kChecksum, kNoChecksum)) + std::strlen(kChecksum) + 4;
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();

  tensor::AtomicFile out(path);
  out.write({reinterpret_cast<const char*>(&length), 8});
  out.write(text);
  for (size_t i = 0; i < blocks.size(); ++i) {
    const StoredTensor block = blocks[i].make();
    check(int64_t(block.bytes.size()) == sizes[i], "{}: \"{}\" of type {} and shape {} has {} bytes", path,
          blocks[i].name, block.dtype, block.extents_text(), block.bytes.size());
    checksum.add(block.bytes);
    out.write(block.bytes);
  }
  out.rewrite(int64_t(8 + checksum_at), checksum_text(checksum));
  out.commit();
}

}  // namespace nn
