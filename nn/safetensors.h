/// The safetensors format: named blocks of numbers with a JSON header, read strictly and written whole or not at all.
///
/// A file is: header length (8 bytes, little-endian), the JSON header {"NAME": {"dtype", "shape", "data_offsets"}, ...,
/// "__metadata__": {text: text}}, the blocks one after the other. Images and convolution weights (four axes) are stored
/// as other programs expect them, NCHW and OIHW, and kept here as NHWC and KRSC; everything else is stored as it is.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace nn {

/// One block as it is in the file: its element type by the format's name, its extents, its bytes in the file's layout.
struct StoredTensor {
  std::string dtype;  ///< F32, F64, I64, I32 or U8; of files that others wrote F16 and BF16 too
  std::vector<int64_t> extents;
  std::shared_ptr<const std::string> owner;  ///< what keeps `bytes` alive
  std::string_view bytes;

  int64_t count() const;
  /// "[2, 3]", for messages.
  std::string extents_text() const;
  /// The values in the file's order.
  std::vector<double> values() const;
  /// As a tensor of this project's layout (four axes: 0,2,3,1 of the file's) in `dtype`; a scalar becomes [1].
  /// Throws Error with more than 6 axes.
  tensor::Tensor to_tensor(tensor::DType dtype, tensor::Device device) const;
};

/// The format's name of an element type. Throws Error for bf16, which is not written.
const char* stored_type(tensor::DType dtype);
/// In the file's layout (four axes: 0,3,1,2 of ours), with the tensor's own element type. `scalar`: no axes, for one
/// element.
StoredTensor stored(const tensor::Tensor& t, bool scalar = false);
/// Values in the file's layout, as F64 or I64.
StoredTensor stored(const std::vector<double>& values, std::vector<int64_t> extents);
StoredTensor stored(const std::vector<int64_t>& values, std::vector<int64_t> extents);

struct SafeTensors {
  std::map<std::string, std::string> metadata;
  std::map<std::string, StoredTensor> tensors;
};

/// Reads and checks a whole file. Throws one Error naming the file, what is wrong and what to do, when a byte is
/// missing or too many, blocks overlap or leave gaps, a name appears twice, a type is unknown, a size does not fit, or
/// the checksum (of files that carry one) does not agree. Never allocates by a number that the file merely claims.
SafeTensors read_safetensors(const std::string& path);
/// Writes atomically, with a checksum of header and blocks in the metadata ("checksum").
void write_safetensors(const std::string& path, const SafeTensors& file);

/// A block that is made when its turn to be written comes, so that one of them is in memory at a time.
struct Source {
  std::string name, dtype;
  std::vector<int64_t> extents;
  std::function<StoredTensor()> make;
};
/// The same of such blocks.
void write_safetensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                       std::vector<Source> blocks);

}  // namespace nn
