/// The networks of this project as graphs of ONNX's operators.
#pragma once
#include <map>
#include <string>

#include "cris/model.h"

namespace tools {

/// An ONNX file's content, with these metadata. Input "image": [batch, 3, height, width], RGB / 255, height and width
/// multiples of cris::size_multiple. Output "probability": [batch, 1, height, width], of the refiner where there is
/// one; then "mask_probability" is the backbone's own. Batch norms are in evaluation mode. A CRF is left out: the
/// output is the backbone's. Throws tensor::Error that says what to install where this program was built without the
/// format's library, and beyond the 2 GB that the format holds. Source: github.com/onnx/onnx, docs/IR.md; opset 17.
std::string onnx_bytes(cris::Model& model, const std::map<std::string, std::string>& metadata);

}  // namespace tools
