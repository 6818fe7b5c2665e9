/// The only file that includes ONNX's schema, and protobuf with it.
#include "tools/exchange/onnx_graph.h"

#include "cris/run/build_facts.h"
#include "tensor/check.h"

#ifdef CRIS_ONNX
#include <onnx/onnx_pb.h>
#endif

namespace tools {

#ifdef CRIS_ONNX

bool writes_onnx() { return true; }

namespace {

constexpr int64_t kIrVersion = 8, kOpset = 17;

void put_attribute(onnx::NodeProto& node, const std::string& name, const OnnxAttribute& value) {
  onnx::AttributeProto& a = *node.add_attribute();
  a.set_name(name);
  if (const auto* i = std::get_if<int64_t>(&value)) {
    a.set_type(onnx::AttributeProto::INT);
    a.set_i(*i);
  } else if (const auto* f = std::get_if<float>(&value)) {
    a.set_type(onnx::AttributeProto::FLOAT);
    a.set_f(*f);
  } else if (const auto* s = std::get_if<std::string>(&value)) {
    a.set_type(onnx::AttributeProto::STRING);
    a.set_s(*s);
  } else {
    a.set_type(onnx::AttributeProto::INTS);
    for (const int64_t i : std::get<std::vector<int64_t>>(value)) a.add_ints(i);
  }
}

void put_value(onnx::ValueInfoProto& info, const OnnxValue& value) {
  info.set_name(value.name);
  onnx::TypeProto_Tensor& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (const OnnxExtent& extent : value.shape) {
    auto& dim = *type.mutable_shape()->add_dim();
    if (const auto* number = std::get_if<int64_t>(&extent))
      dim.set_dim_value(*number);
    else
      dim.set_dim_param(std::get<std::string>(extent));
  }
}

/// In the machine's byte order, which is the format's: little-endian.
template <class T>
void put_tensor(onnx::TensorProto& to, const std::string& name, const std::vector<int64_t>& shape,
                const std::vector<T>& values, onnx::TensorProto::DataType type) {
  to.set_name(name);
  to.set_data_type(type);
  for (const int64_t extent : shape) to.add_dims(extent);
  to.set_raw_data(values.data(), values.size() * sizeof(T));
}

}  // namespace

std::string onnx_bytes(const OnnxGraph& graph) {
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("cris");
  model.set_producer_version(cris::build_facts().version);
  model.set_doc_string(graph.description);
  model.add_opset_import()->set_version(kOpset);
  for (const auto& [key, value] : graph.metadata) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  onnx::GraphProto& g = *model.mutable_graph();
  g.set_name(graph.name);
  for (const OnnxValue& v : graph.inputs) put_value(*g.add_input(), v);
  for (const OnnxValue& v : graph.outputs) put_value(*g.add_output(), v);
  for (const OnnxTensor& t : graph.constants)
    put_tensor(*g.add_initializer(), t.name, t.shape, t.values, onnx::TensorProto::FLOAT);
  for (size_t i = 0; i < graph.integers.size(); ++i)
    put_tensor(*g.add_initializer(), "integers." + std::to_string(i), {int64_t(graph.integers[i].size())},
               graph.integers[i], onnx::TensorProto::INT64);
  for (const OnnxNode& n : graph.nodes) {
    onnx::NodeProto& node = *g.add_node();
    node.set_op_type(n.op);
    node.set_name(n.name);
    for (const std::string& input : n.inputs) node.add_input(input);
    for (const std::string& output : n.outputs) node.add_output(output);
    for (const auto& [name, value] : n.attributes) put_attribute(node, name, value);
  }
  std::string bytes;
  tensor::require(model.ByteSizeLong() < size_t(INT32_MAX) && model.SerializeToString(&bytes),
                  "a model of {} bytes is beyond the 2 GB of an ONNX file; export a smaller base",
                  model.ByteSizeLong());
  return bytes;
}

#else

bool writes_onnx() { return false; }

std::string onnx_bytes(const OnnxGraph&) {
  throw tensor::Error(
      "this program was built without ONNX; install libonnx-dev, libprotobuf-dev and protobuf-compiler "
      "(tools/setup.sh onnx), then build again from a new cmake --preset");
}

#endif

}  // namespace tools
