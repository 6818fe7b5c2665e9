/// Folders of the user's data: listing and creating them, with errors that name them.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/machine/folder_lock.h"

namespace data {

/// Names (not paths) of the regular files in `folder`, and of links that lead nowhere, sorted bytewise; hidden ones
/// left out. Throws FormatError.
std::vector<std::string> list_files(const std::string& folder);

/// Creates `folder` and its parents where missing. Throws FormatError.
void create_folder(const std::string& folder);

/// Files that appear together: they are made in a folder beside FOLDER, and `publish` gives it FOLDER's name in one
/// step. One process at a time: meanwhile FOLDER is locked. Where that cannot be done (another disk is mounted on
/// FOLDER, a process stands in it, the folder around it cannot be written) they are made in FOLDER/.partial, and moved
/// one by one. Without `publish` nothing of them stays.
class StagingFolder {
 public:
  enum class Publish { whole, one_by_one };
  /// Begins empty: what a killed process left there is removed. `one_by_one`: for a FOLDER that the caller has locked,
  /// and that holds more than these files. Throws FormatError when nothing can be written or FOLDER is in use.
  explicit StagingFolder(const std::string& folder, Publish how = Publish::whole);
  ~StagingFolder();
  StagingFolder(const StagingFolder&) = delete;
  StagingFolder& operator=(const StagingFolder&) = delete;
  const std::string& path() const { return path_; }
  /// Replaces files of the same names and those that are `outdated` (paths in FOLDER), and keeps all others. Throws
  /// FormatError.
  void publish(const std::function<bool(const std::string&)>& outdated = [](const std::string&) { return false; });

 private:
  std::string folder_, path_;
  bool whole_;
  std::optional<tensor::FolderLock> lock_;
};

/// "polyp.1.JPG" -> "polyp.1".
std::string base_name(const std::string& file);

/// True for the extensions of the formats that read_image understands, in any case: png jpg jpeg bmp tif tiff.
bool has_image_extension(const std::string& file);

/// Base name -> path of the files in `folder` that `wanted` takes. Throws FormatError where two share a base name.
std::map<std::string, std::string> files_by_name(const std::string& folder,
                                                 bool (*wanted)(const std::string& file) = has_image_extension);

/// True for UTF-8 without control characters: what can stand on one line of a split, a table or a page.
bool is_plain_text(std::string_view text);

/// A field of a CSV file: in quotes when it holds what separates fields (RFC 4180).
std::string csv_field(const std::string& text);
/// The same of a name, behind a ' where a spreadsheet would take it for a formula, or it begins with ' itself.
std::string csv_name(const std::string& name);

/// The lines of a text, without their ends.
std::vector<std::string> lines_of(const std::string& text);

/// The content of `path`. Throws FormatError naming the file and the reason.
std::string read_data_file(const std::string& path);

}  // namespace data
