/// Files that are written whole or not at all, and read whole: a temporary name beside the target, fsync, rename.
#pragma once
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
  /// Flushes to the disk: only the name is missing then. Nothing may be written afterwards.
  void finish();
  /// Finishes the file where that was not done, and renames it.
  void commit();

 private:
  std::string path_, temporary_, pending_;
  int file_ = -1;  // open until finished; the temporary file is there until committed
  void flush();
  void discard();
  [[noreturn]] void fail(const char* what, int error);
};

/// `bytes` become the whole content of `path`, or `path` stays as it was and Error is thrown.
void write_file_atomically(const std::string& path, std::string_view bytes);

/// The whole content of the regular file `path`. Throws Error naming the file and the system's reason; for a folder, a
/// device, a pipe or a socket too, from which reading might never end.
std::string read_file(const std::string& path);

}  // namespace tensor
