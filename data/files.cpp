/// Folders through std::filesystem, whose own errors become ours.
#include "data/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "data/format_error.h"
#include "tensor/machine/atomic_file.h"

namespace data {

namespace fs = std::filesystem;

std::vector<std::string> list_files(const std::string& folder) {
  std::error_code error;
  const bool is_folder = fs::is_directory(folder, error);
  require_data(is_folder, "{}: no such folder", folder);
  std::vector<std::string> names;
  fs::directory_iterator it(folder, error);
  require_data(!error, "cannot list {}: {}", folder, error.message());
  for (; it != fs::directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename();
    std::error_code ignored;
    const fs::file_type type = it->status(ignored).type();
    // A link that leads nowhere is listed, so that whoever reads it says so.
    const bool lost = type == fs::file_type::not_found || type == fs::file_type::none;
    if (name[0] != '.' && (type == fs::file_type::regular || lost)) names.push_back(name);
    if (error) break;
  }
  require_data(!error, "cannot list {}: {}", folder, error.message());
  std::sort(names.begin(), names.end());
  return names;
}

void create_folder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  require_data(!error, "cannot create the folder {}: {}; choose a place that you may write to", folder,
               error.message());
}

namespace {
/// Moves what is in `from` into `to`, folder by folder.
void move_content(const fs::path& from, const fs::path& to) {
  const std::vector<fs::directory_entry> entries(fs::directory_iterator(from), {});
  for (const fs::directory_entry& entry : entries) {
    const fs::path target = to / entry.path().filename();
    if (entry.is_directory() && fs::exists(target))
      move_content(entry.path(), target);
    else
      fs::rename(entry.path(), target);
  }
}

/// What `to` lacks of `from`, but for the outdated files: linked, so that nothing of it is copied or lost.
void carry_over(const fs::path& from, const fs::path& to, const std::function<bool(const std::string&)>& outdated) {
  for (auto it = fs::recursive_directory_iterator(from); it != fs::recursive_directory_iterator(); ++it) {
    const fs::path name = it->path().lexically_relative(from), target = to / name;
    if (name == ".partial") {  // of a killed process that moved files one by one
      it.disable_recursion_pending();
    } else if (it->is_symlink()) {
      if (!fs::exists(fs::symlink_status(target))) fs::copy_symlink(it->path(), target);
    } else if (it->is_directory()) {
      fs::create_directory(target, it->path());
    } else if (!fs::exists(target) && !outdated(name)) {
      fs::create_hard_link(it->path(), target);
    }
  }
}

/// Whether another folder may take the place of this one: no process works in it and no disk is mounted on it.
bool can_be_exchanged(const fs::path& folder) {
  struct stat inner, outer;
  std::error_code unknown;
  const std::string here = fs::current_path(unknown).string() + "/";
  return access(folder.parent_path().c_str(), W_OK) == 0 && stat(folder.c_str(), &inner) == 0 &&
         stat(folder.parent_path().c_str(), &outer) == 0 && inner.st_dev == outer.st_dev &&
         !here.starts_with(folder.string() + "/");
}
}  // namespace

StagingFolder::StagingFolder(const std::string& folder, Publish how) {
  std::error_code unknown;
  fs::path target = fs::weakly_canonical(fs::absolute(folder), unknown);
  if (!target.has_filename()) target = target.parent_path();  // DIR/
  require_data(!unknown && target.has_filename(), "{}: cannot be written: {}; choose another folder", folder,
               unknown ? unknown.message() : "it is the root");
  folder_ = target;
  whole_ = how == Publish::whole && (!fs::exists(target) || can_be_exchanged(target));
  const std::string hidden = "." + target.filename().string();
  path_ = whole_ ? target.parent_path() / (hidden + ".partial") : target / ".partial";
  try {
    if (whole_)
      lock_.emplace(target.parent_path(), hidden + ".cris.lock", folder);
    else if (how == Publish::whole)
      lock_.emplace(folder_);
  } catch (const tensor::Error& e) {
    throw FormatError(e.what());
  }
  fs::remove_all(path_, unknown);
  create_folder(path_);
}

StagingFolder::~StagingFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void StagingFolder::publish(const std::function<bool(const std::string&)>& outdated) {
  try {
    if (whole_) {
      if (!fs::exists(folder_)) {
        fs::rename(path_, folder_);
        return tensor::sync_folder_of(folder_);
      }
      carry_over(folder_, path_, outdated);
      fs::permissions(path_, fs::status(folder_).permissions());
      if (renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, folder_.c_str(), RENAME_EXCHANGE) == 0)
        return tensor::sync_folder_of(folder_);
      // Not every file system can exchange two names. On one that can, but is full or fails, nothing is to change.
      if (errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EROFS)
        throw fs::filesystem_error("", path_, folder_, std::error_code(errno, std::generic_category()));
    }
    std::vector<fs::path> old;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      const std::string name = entry.path().lexically_relative(folder_);
      if (entry.is_regular_file() && !name.starts_with(".partial") && outdated(name)) old.push_back(entry.path());
    }
    for (const fs::path& file : old) fs::remove(file);
    move_content(path_, folder_);
  } catch (const fs::filesystem_error& e) {
    const std::string from = e.path1().string(), to = e.path2().empty() ? folder_ : e.path2().string();
    throw FormatError(fmt::format("cannot move {} to {}: {}", from, to, e.code().message()));
  }
}

std::string base_name(const std::string& file) { return fs::path(file).stem(); }

bool has_image_extension(const std::string& file) {
  std::string extension = fs::path(file).extension();
  for (char& c : extension) c = char(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::string_view known[] = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"};
  return std::ranges::find(known, extension) != std::end(known);
}

std::map<std::string, std::string> files_by_name(const std::string& folder, bool (*wanted)(const std::string&)) {
  std::map<std::string, std::string> files;
  for (const std::string& file : list_files(folder)) {
    if (!wanted(file)) continue;
    const auto [at, fresh] = files.emplace(base_name(file), fs::path(folder) / file);
    require_data(fresh, "{} and {}/{} have the same name; remove one", at->second, folder, file);
  }
  return files;
}

bool is_plain_text(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x20 || first == 0x7f) return false;
    const int more = first < 0x80                    ? 0
                     : first >= 0xc2 && first < 0xe0 ? 1
                     : first >= 0xe0 && first < 0xf0 ? 2
                     : first >= 0xf0 && first < 0xf5 ? 3
                                                     : -1;
    if (more < 0 || i + size_t(more) >= text.size()) return false;
    uint32_t code = more == 0 ? first : first & (0x3f >> more);
    for (int k = 0; k < more; ++k) {
      const auto next = static_cast<unsigned char>(text[++i]);
      if (next >> 6 != 2) return false;
      code = code << 6 | (next & 0x3f);
    }
    // Overlong forms, surrogates, and what lies beyond Unicode.
    if ((more == 2 && code < 0x800) || (more == 3 && code < 0x10000) || (code >= 0xd800 && code < 0xe000) ||
        code > 0x10ffff)
      return false;
  }
  return true;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string csv_name(const std::string& name) {
  return csv_field(name.find_first_of("=+-@'") == 0 ? '\'' + name : name);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream rest(text);
  for (std::string line; std::getline(rest, line);) lines.push_back(line);
  return lines;
}

std::string read_data_file(const std::string& path) {
  try {
    return tensor::read_file(path);
  } catch (const tensor::Error& e) {
    throw FormatError(e.what());
  }
}

}  // namespace data
