/// The files of the source tree.
#pragma once
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace fs = std::filesystem;

inline const fs::path kRoot = CRIS_SOURCE_DIR;

inline std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Calls f(path below the root, content) for the files in these folders whose names end in one of `extensions`; returns
/// how many there are.
template <class F>
size_t for_each_file(const std::vector<std::string>& folders, const std::vector<std::string>& extensions, const F& f) {
  size_t files = 0;
  for (const std::string& folder : folders)
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      if (!std::ranges::count(extensions, entry.path().extension().string())) continue;
      f(entry.path().lexically_relative(kRoot), text_of(entry.path()));
      ++files;
    }
  return files;
}
