/// Files that are written whole or not at all, and read whole: a temporary name beside the target, fsync, rename.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace tensor {

/// A file under construction. Bytes go to a temporary file in the target's folder; `commit` gives it its name, in one
/// step. Without commit (an exception, an early return) the temporary file is removed and an older target stays as it
/// was. Every function throws Error naming the file and the system's reason (no space, no permission, no such folder).
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(std::string_view bytes);
  /// Puts `bytes` in the place of as many that were written at byte `at`.
  void rewrite(int64_t at, std::string_view bytes);
  /// Flushes to the disk: only the name is missing then. Nothing may be written afterwards.
  void finish();
  /// Finishes the file where that was not done, and renames it.
  void commit();

 private:
  std::string path_, temporary_, pending_;
  int file_ = -1;  // open, and locked, until committed; the temporary file is there as long
  bool finished_ = false;
  void put(std::string_view bytes);
  void flush();
  void discard();
  [[noreturn]] void fail(const char* what, int error);
};

/// `bytes` become the whole content of `path`, or `path` stays as it was and Error is thrown.
void write_file_atomically(const std::string& path, std::string_view bytes);

/// The name of the new file `path` survives a power cut from here on.
void sync_folder_of(const std::string& path);

/// Removes the temporary files of processes that were killed from `folder`: all, or those of its file `target`.
void remove_abandoned(const std::string& folder, const std::string& target = "");

/// The whole content of the regular file `path`. Throws Error naming the file and the system's reason; for more than
/// `max_bytes` bytes too, and for a folder, a device, a pipe or a socket, from which reading might never end.
std::string read_file(const std::string& path, int64_t max_bytes = INT64_MAX - 1);

}  // namespace tensor
