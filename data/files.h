/// Folders of the user's data: listing and creating them, with errors that name them.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace data {

/// Names (not paths) of the regular files in `folder`, and of links that lead nowhere, sorted bytewise; hidden ones
/// left out. Throws FormatError.
std::vector<std::string> list_files(const std::string& folder);

/// Creates `folder` and its parents where missing. Throws FormatError.
void create_folder(const std::string& folder);

/// Files that appear together: they are made in FOLDER/.partial, which no listing shows, and `publish` moves them to
/// the same places in FOLDER. Without it nothing of them stays, nor FOLDER itself where that is new.
class StagingFolder {
 public:
  /// Begins empty: what a killed process left there is removed. Throws FormatError when nothing can be written.
  explicit StagingFolder(std::string folder);
  ~StagingFolder();
  StagingFolder(const StagingFolder&) = delete;
  StagingFolder& operator=(const StagingFolder&) = delete;
  const std::string& path() const { return path_; }
  /// Replaces files of the same names and keeps all others. Throws FormatError.
  void publish();

 private:
  std::string folder_, path_;
  bool fresh_;
};

/// "polyp.1.JPG" -> "polyp.1".
std::string base_name(const std::string& file);

/// True for the extensions of the formats that read_image understands, in any case: png jpg jpeg bmp tif tiff.
bool has_image_extension(const std::string& file);

/// True for UTF-8 without control characters: what can stand on one line of a split, a table or a page.
bool is_plain_text(std::string_view text);

/// The content of `path`. Throws FormatError naming the file and the reason.
std::string read_data_file(const std::string& path);

}  // namespace data
