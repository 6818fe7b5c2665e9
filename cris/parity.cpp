/// Runs a folder of parity cases.
#include "cris/parity.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "cris/parity_case.h"

namespace cris {

namespace {

namespace fs = std::filesystem;
using tensor::check;

bool begins(const std::string& name, const char* prefix) { return name.rfind(prefix, 0) == 0; }

/// What the file gives to the program, rather than asks of it.
bool is_given(const std::string& name) {
  return begins(name, "input.") || begins(name, "cotangent.") || begins(name, "param.") || begins(name, "buffer.");
}

/// ||ours - theirs|| / max(||theirs||, 1e-12); infinite when a number is not one.
double relative_error(const std::vector<double>& ours, const std::vector<double>& theirs) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < ours.size(); ++i) {
    const double d = ours[i] - theirs[i];
    difference += d * d;
    norm += theirs[i] * theirs[i];
  }
  const double error = std::sqrt(difference) / std::max(std::sqrt(norm), 1e-12);
  return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
}

double tolerance(const ParityCase& c, const std::string& tensor_name) {
  if (c.dtype() != tensor::DType::f64) return c.op() == "model" ? 1e-3 : 2e-5;
  return begins(tensor_name, "grad.") || begins(tensor_name, "train.") ? 1e-8 : 1e-9;
}

/// Extents in which a result is compared and written: one element may be [1] here and a scalar there.
bool same_extents(const nn::StoredTensor& a, const nn::StoredTensor& b) {
  return a.extents == b.extents || (a.count() == 1 && b.count() == 1);
}

void compare(const ParityCase& c, ParityResult& result) {
  double worst_share = -1;
  result.passed = true;
  for (const auto& [name, theirs] : c.file().tensors) {
    if (is_given(name)) continue;
    const auto ours = c.computed().find(name);
    check(ours != c.computed().end(), "{} is not computed by this program", name);
    check(same_extents(ours->second, theirs), "{} is {} here, {} in the file", name, ours->second.extents_text(),
          theirs.extents_text());
    const double error = relative_error(ours->second.values(), theirs.values());
    const double share = error / tolerance(c, name);
    if (!(share <= 1)) result.passed = false;
    // The tensor nearest to, or farthest beyond, its tolerance is the one worth naming.
    if (share > worst_share) {
      worst_share = share;
      result.error = error;
      result.tensor = name;
    }
  }
  check(worst_share >= 0, "the file has nothing to compare with");
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
    result.op = c.op();
    const auto op = parity_ops().find(c.op());
    check(op != parity_ops().end(), "op {} is not known to this program", c.op());
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
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".safetensors" && at->path().stem().string().find(options.only) != std::string::npos)
      paths.push_back(at->path());
  check(!error, "parity: cannot read folder {}: {}", folder, error.message());
  check(!paths.empty(), "parity: folder {} holds no .safetensors file{}", folder,
        options.only.empty() ? "" : " whose name contains \"" + options.only + "\"");
  std::sort(paths.begin(), paths.end());
  if (!options.write_folder.empty()) {
    fs::create_directories(options.write_folder, error);
    check(!error, "parity: cannot make folder {}: {}", options.write_folder, error.message());
  }
  for (const auto& path : paths) report(run_case(path, options));
}

}  // namespace cris
