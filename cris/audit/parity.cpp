/// Each case is computed as asked and compared tensor by tensor; a network that is too ill-conditioned for its
/// precision is compared with how far its own numbers move when they are rounded.
#include "cris/audit/parity.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "cris/audit/parity_case.h"
#include "cris/run/outputs.h"
#include "nn/hash.h"
#include "tensor/relative_error.h"

namespace cris {

namespace {

namespace fs = std::filesystem;
using tensor::require;

/// What a precision's rounding allows: relative errors of one op and of a whole network, and the relative step by which
/// numbers move to find what a network does with such a rounding.
struct Allowance {
  double op, model, step;
};
Allowance allowance() {
  switch (tensor::precision()) {
    case tensor::Precision::tf32:
      return {1e-3, 5e-2, 0x1p-10};
    case tensor::Precision::bf16:
      return {1e-2, 2e-1, 0x1p-7};
    default:
      return {2e-5, 1e-3, 0x1p-20};
  }
}

/// The process's precision while it lives.
class WithPrecision {
 public:
  explicit WithPrecision(tensor::Precision p) { tensor::set_precision(p); }
  ~WithPrecision() { tensor::set_precision(before_); }
  WithPrecision(const WithPrecision&) = delete;
  WithPrecision& operator=(const WithPrecision&) = delete;

 private:
  tensor::Precision before_ = tensor::precision();
};

/// What the file gives to the program, rather than asks of it.
bool is_given(const std::string& name) {
  return name.starts_with("input.") || name.starts_with("cotangent.") || name.starts_with("param.") ||
         name.starts_with("buffer.");
}

double tolerance(const ParityCase& c, const std::string& tensor_name) {
  if (c.dtype() != tensor::DType::f64) return c.op() == "model" ? allowance().model : allowance().op;
  return tensor_name.starts_with("grad.") || tensor_name.starts_with("train.") ? 1e-8 : 1e-9;
}

/// Extents in which a result is compared and written: one element may be [1] here and a scalar there.
bool same_extents(const nn::StoredTensor& a, const nn::StoredTensor& b) {
  return a.extents == b.extents || (a.count() == 1 && b.count() == 1);
}

/// By tensor name, the relative errors of what was computed. Throws when something is missing or misshapen.
std::map<std::string, double> errors_of(const ParityCase& c) {
  std::map<std::string, double> errors;
  for (const auto& [name, theirs] : c.file().tensors) {
    if (is_given(name)) continue;
    const auto ours = c.computed().find(name);
    require(ours != c.computed().end(), "{} is not computed by this program", name);
    require(same_extents(ours->second, theirs), "{} is {} here, {} in the file", name, ours->second.extents_text(),
            theirs.extents_text());
    const double error = tensor::relative_error(ours->second.values(), theirs.values());
    errors[name] = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
  }
  require(!errors.empty(), "the file has nothing to compare with");
  return errors;
}

/// The case with what it is given, but for a mask, moved by up to the allowance's step of each value: about what
/// rounding, carried through a network, does to its activations.
nn::SafeTensors perturbed(nn::SafeTensors file, uint32_t draw) {
  const double step = allowance().step;
  for (auto& [name, t] : file.tensors) {
    if (!is_given(name) || name == "input.mask" || t.dtype == "I64") continue;
    auto values = t.values();
    const tensor::RandomKey key{1, nn::stream_of(name), draw};
    for (size_t i = 0; i < values.size(); ++i) values[i] *= 1 + step * (2 * tensor::uniform(key, i) - 1);
    t = nn::stored(values, t.extents);
  }
  return file;
}

/// How far each result moves, in f64, when the case's numbers move by the precision's rounding. Where a ReLU or a
/// maximum hangs by less than that, gradients jump; where a sum cancels, as a bias' gradient may, little of it is left.
/// No computation in that precision can be nearer.
std::map<std::string, double> sensitivity(const ParityCase& c) {
  constexpr uint32_t kDraws = 16;
  std::map<std::string, double> worst;
  for (uint32_t draw = 0; draw < kDraws; ++draw) {
    ParityCase moved(perturbed(c.file(), draw), tensor::Device::cpu, tensor::DType::f64);
    parity_ops().at(c.op())(moved);
    moved.record_gradients();
    for (const auto& [name, error] : errors_of(moved)) worst[name] = std::max(worst[name], error);
  }
  return worst;
}

void compare(const ParityCase& c, ParityResult& result) {
  const auto errors = errors_of(c);
  // The tensor nearest to, or farthest beyond, its tolerance is the one worth naming.
  const auto judge = [&](const std::map<std::string, double>& jumps) {
    double worst_share = -1;
    result.passed = true;
    for (const auto& [name, error] : errors) {
      const auto jump = jumps.find(name);
      const double allowed = std::max(tolerance(c, name), jump == jumps.end() ? 0 : 2 * jump->second);
      const double share = error / allowed;
      if (!(share <= 1)) result.passed = false;
      if (!(share <= worst_share)) {
        worst_share = share;
        result.error = error;
        result.tensor = name;
      }
    }
  };
  judge({});
  // In bf16 an op's images and gradients are rounded too; elsewhere rounding is no excuse for a single op.
  const bool may_be_ill_conditioned = c.op() == "model" || tensor::precision() == tensor::Precision::bf16;
  if (result.passed || !may_be_ill_conditioned || c.dtype() == tensor::DType::f64) return;
  const std::string tensor_beyond = result.tensor;
  const double error_beyond = result.error;
  const auto jumps = sensitivity(c);
  judge(jumps);
  result.note = fmt::format("{} is off by {:.2e}, where f64 itself moves by {:.2e} when its numbers move by 2^{:.0f}",
                            tensor_beyond, error_beyond, jumps.at(tensor_beyond), std::log2(allowance().step));
}

void write_computed(const ParityCase& c, const std::string& path) {
  nn::SafeTensors out;
  out.metadata = {{"op", c.op()}, {"source", fmt::format("cris, {} {}", name(c.device()), name(c.dtype()))}};
  if (const auto options = c.file().metadata.find("options"); options != c.file().metadata.end())
    out.metadata["options"] = options->second;
  for (const auto& [name, ours] : c.computed()) {
    const auto theirs = c.file().tensors.find(name);
    const auto& extents = theirs == c.file().tensors.end() ? ours.extents : theirs->second.extents;
    out.tensors[name] = ours.dtype == "I64" ? ours : nn::stored(ours.values(), extents);
  }
  nn::write_safetensors(path, out);
}

ParityResult run_case(const fs::path& path, const ParityOptions& options) {
  ParityResult result;
  result.name = path.stem().string();
  try {
    ParityCase c(nn::read_safetensors(path.string()), options.device, options.dtype);
    const auto op = parity_ops().find(c.op());
    require(op != parity_ops().end(), "op {} is not known to this program", c.op());
    // Which tensors are compared is told by the file's tensors themselves.
    c.require_option("compare", "output");
    op->second(c);
    c.check_all_options_used();
    c.record_gradients();
    if (!options.write_folder.empty()) write_computed(c, (fs::path(options.write_folder) / path.filename()).string());
    compare(c, result);
  } catch (const std::exception& e) {
    result.passed = false;
    result.failure = e.what();
  }
  return result;
}

}  // namespace

void run_parity(const std::string& folder, const ParityOptions& options,
                const std::function<void(const ParityResult&)>& report) {
  using tensor::Precision;
  const bool tensor_cores = options.precision == Precision::tf32 || options.precision == Precision::bf16;
  require(!tensor_cores || (options.device == tensor::Device::cuda && options.dtype == tensor::DType::f32),
          "parity: precision {} needs device cuda and dtype f32, not {} {}", name(options.precision),
          name(options.device), name(options.dtype));
  const WithPrecision precision(options.precision);
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".safetensors" && at->path().stem().string().find(options.only) != std::string::npos)
      paths.push_back(at->path());
  require(!error, "parity: cannot read folder {}: {}", folder, error.message());
  require(!paths.empty(), "parity: folder {} holds no .safetensors file{}", folder,
          options.only.empty() ? "" : " whose name contains \"" + options.only + "\"");
  std::sort(paths.begin(), paths.end());
  if (!options.write_folder.empty()) {
    std::vector<std::string> outputs;
    for (const fs::path& path : paths) outputs.push_back(fs::path(options.write_folder) / path.filename());
    check_outputs(outputs, {paths.begin(), paths.end()});
    fs::create_directories(options.write_folder, error);
    require(!error, "parity: cannot make folder {}: {}", options.write_folder, error.message());
  }
  for (const auto& path : paths) report(run_case(path, options));
}

}  // namespace cris
