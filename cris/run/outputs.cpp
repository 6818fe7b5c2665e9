/// Outputs against inputs, and against what a person has.
#include "cris/run/outputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cris/measures/findings.h"
#include "cris/run/run_directory.h"
#include "data/format_error.h"
#include "data/image.h"
#include "data/split.h"
#include "tensor/machine/atomic_file.h"

namespace fs = std::filesystem;

namespace cris {

namespace {

std::string folder_of_file(const std::string& path) {
  const std::string folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

/// The second field of an ONNX file, behind the two bytes of its version: producer_name, 4 bytes.
constexpr std::string_view kOnnxProducer{"\x12\x04\x63ris", 6};

/// As it was written: one that somebody edited is theirs.
bool is_split(const std::string& path) {
  try {
    data::read_split(path);
    return true;
  } catch (const tensor::Error&) {
    return false;
  }
}

}  // namespace

bool made_by_cris(const std::string& path) {
  std::string start(1 << 16, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), std::streamsize(start.size()));
  start.resize(size_t(file.gcount()));
  const bool png = start.starts_with("\x89PNG") && start.size() > data::kPngMarkAt &&
                   start.compare(data::kPngMarkAt, data::kPngMark.size(), data::kPngMark) == 0;
  const bool onnx = std::string_view(start).substr(std::min<size_t>(start.size(), 2)).starts_with(kOnnxProducer);
  return png || onnx || (start.starts_with("cris split ") && is_split(path)) ||
         start.starts_with(FindingsFiles::kHeader) || start.starts_with(".TH CRIS") ||
         start.find("<meta name=\"generator\" content=\"cris\">") < 1000 ||
         start.find("\"writer\":\"cris\"") != std::string::npos;
}

bool has_keys(const std::string& path, const std::vector<std::string>& names) {
  std::ifstream file(path);
  const auto json = nlohmann::json::parse(file, nullptr, false);
  return json.is_object() && std::ranges::all_of(names, [&](const std::string& name) { return json.contains(name); });
}

void check_place(const std::string& path) {
  std::error_code unknown;
  const fs::path whole = fs::weakly_canonical(path, unknown);
  if (unknown) return;  // who writes there meets the same error, and says so
  for (fs::path at = whole; at.has_relative_path(); at = at.parent_path()) {
    for (const auto& [one, other] : {std::pair{"images", "masks"}, {"masks", "images"}})
      data::require_data(at.filename() != one || !fs::is_directory(at.parent_path() / other, unknown) ||
                             !fs::is_directory(at, unknown),
                         "{} lies in {}/ of the data set {}; choose another -o", path, one, at.parent_path().string());
    const fs::path run = at.parent_path();
    data::require_data(
        !is_own_name(whole.lexically_relative(run)) || !fs::exists(run / "config.resolved.toml", unknown),
        "{} is one of the files of the run {}; choose another -o", path, run.string());
  }
}

void check_files(const std::vector<std::string>& outputs, const std::vector<std::string>& inputs) {
  std::map<std::pair<dev_t, ino_t>, std::string> read;
  struct stat status;
  for (const std::string& path : inputs)
    if (stat(path.c_str(), &status) == 0) read[{status.st_dev, status.st_ino}] = path;
  std::set<std::string> names;
  for (const std::string& path : outputs) {
    std::error_code unknown;
    const fs::path whole = fs::weakly_canonical(folder_of_file(path), unknown);
    const fs::path folder = unknown ? fs::path(folder_of_file(path)) : whole;
    data::require_data(names.insert(folder / fs::path(path).filename()).second,
                       "{} would be written twice; name two files", path);
    if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const auto input = read.find({status.st_dev, status.st_ino});
    data::require_data(input == read.end(), "{} is read by this command{}; choose another -o", path,
                       input == read.end() || input->second == path ? "" : " (as " + input->second + ")");
    data::require_data(status.st_size == 0 || made_by_cris(path),
                       "{} is there, and cris did not make it; move it away, or choose another -o", path);
  }
}

void check_outputs(const std::vector<std::string>& outputs, const std::vector<std::string>& inputs) {
  std::set<std::string> folders;
  for (const std::string& path : outputs)  // of a folder's files the first stands for all
    if (folders.insert(folder_of_file(path)).second) check_place(path);
  check_files(outputs, inputs);
  if (outputs.size() > 2) return;  // a command that writes many has the lock of their folder
  for (const std::string& path : outputs) tensor::remove_abandoned(folder_of_file(path), fs::path(path).filename());
}

}  // namespace cris
