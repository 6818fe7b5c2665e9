/// PTX text, read: "PTX ISA: Source Format", "Directives".
#pragma once
#include <map>
#include <string>

#include "tests/ptx/kernel.h"

namespace ptx {

/// A kernel (.entry) or function (.func) as it was written, without comments.
struct Source {
  std::string name, results, parameters, body;
};
struct Module {
  std::string target;  ///< such as sm_90
  std::map<std::string, Source> kernels, functions;
  /// .global and .const variables: their addresses in the device's memory, filled.
  std::map<std::string, uint64_t> globals;
};

Module read_module(const std::string& text);
/// Ready to run. `body` is the kernel's own or one that was changed. Throws std::runtime_error naming what it does not
/// know.
std::unique_ptr<Kernel> read_kernel(const Module& module, const Source& kernel, const std::string& body);

}  // namespace ptx
