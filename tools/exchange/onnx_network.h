/// The networks of this project as graphs of ONNX's operators.
#pragma once
#include "cris/model.h"
#include "tools/exchange/onnx_graph.h"

namespace tools {

/// Input "image": [batch, 3, height, width], RGB / 255, height and width multiples of cris::size_multiple. Output
/// "probability": [batch, 1, height, width], of the refiner where there is one; then "mask_probability" is the
/// backbone's own. Batch norms are in evaluation mode. A CRF is left out: the output is the backbone's.
OnnxGraph onnx_of(cris::Model& model);

}  // namespace tools
