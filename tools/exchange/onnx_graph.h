/// A graph in the terms of ONNX, as plain data, and its bytes.
///
/// Source: the format's specification, github.com/onnx/onnx, docs/IR.md; opset 17.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace tools {

struct OnnxTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<float> values;
};
using OnnxAttribute = std::variant<int64_t, float, std::string, std::vector<int64_t>>;
struct OnnxNode {
  std::string op, name;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, OnnxAttribute> attributes;
};
/// An extent, or a name where it is chosen by who runs the graph.
using OnnxExtent = std::variant<int64_t, std::string>;
/// An input or output, of f32.
struct OnnxValue {
  std::string name;
  std::vector<OnnxExtent> shape;
};
struct OnnxGraph {
  std::string name, description;
  std::vector<OnnxTensor> constants;
  std::vector<std::vector<int64_t>> integers;  ///< constants of int64, called "integers.0", "integers.1", ...
  std::vector<OnnxNode> nodes;
  std::vector<OnnxValue> inputs, outputs;
  std::map<std::string, std::string> metadata;
};

/// Whether this program was built with the library of the format.
bool writes_onnx();
/// The file's content: a ModelProto. Throws tensor::Error that says what to install where writes_onnx() is false, and
/// beyond the 2 GB that the format holds.
std::string onnx_bytes(const OnnxGraph& graph);

}  // namespace tools
