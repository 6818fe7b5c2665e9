/// An flock on a file in the folder; after locking, the file must still be the one that the folder holds.
#include "tensor/machine/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tensor/check.h"
#include "tensor/machine/atomic_file.h"

namespace tensor {

namespace fs = std::filesystem;

FolderLock::FolderLock(std::string folder, const std::string& file, std::string what)
    : folder_(folder.empty() ? "." : std::move(folder)),
      path_(folder_ + "/" + file),
      what_(what.empty() ? folder_ : std::move(what)) {
  const auto give_up = [&] {
    if (file_ >= 0) close(file_);
    remove_folders();
  };
  const auto fail = [&](const std::string& why) {
    give_up();
    throw Error(fmt::format("{}: {}", what_, why));
  };
  // Between open and flock another process may end, and remove the file or the folder that it made: then once more.
  for (int again = 100;; --again) {
    make_folders();
    file_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    const int error = errno;
    if (file_ < 0 && (error != ENOENT || again <= 0))
      fail(fmt::format("cannot be written: {}; choose a folder that you may write to", std::strerror(error)));
    if (file_ < 0) continue;
    if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) {
        give_up();
        throw FolderInUse(fmt::format(
            "{}: the folder is in use: another process is working in it; wait for it or choose another -o", what_));
      }
      fail(fmt::format("its file system cannot lock files (flock: {}); choose a folder on another disk",
                       std::strerror(errno)));
    }
    if (here()) break;
    if (again <= 0) fail("cannot be locked: its file system does not keep the identity of files; choose another disk");
    close(file_);
  }
  remove_abandoned(folder_);
}

FolderLock::~FolderLock() {
  if (here()) unlink(path_.c_str());
  close(file_);
  remove_folders();
}

bool FolderLock::here() const {
  struct stat mine, there;
  return fstat(file_, &mine) == 0 && stat(path_.c_str(), &there) == 0 && mine.st_dev == there.st_dev &&
         mine.st_ino == there.st_ino;
}

void FolderLock::check_place() const {
  if (!here())
    throw Error(
        fmt::format("{}: was moved, replaced or lost its {} while this process worked in it; nothing more is "
                    "written there. The same command goes on where its folder is",
                    what_, fs::path(path_).filename().string()));
}

void FolderLock::make_folders() {
  // One at a time, so that those that were there are known.
  std::vector<std::string> missing;
  std::error_code error;
  for (fs::path at = folder_; !at.empty() && !fs::exists(at, error) && !error; at = at.parent_path())
    if (at.has_filename()) missing.push_back(at);
  int failed = 0;
  for (size_t i = missing.size(); i-- > 0;)
    if (mkdir(missing[i].c_str(), 0777) == 0)
      made_.insert(made_.begin(), missing[i]);
    else if (errno != EEXIST) {  // somebody else made it meanwhile
      failed = errno;
      break;
    }
  if (fs::is_directory(folder_, error)) return;
  // What is gone again was removed by a process that ends: the caller tries once more.
  if ((failed == 0 || failed == ENOENT) && !fs::exists(folder_, error) && !error) return;
  remove_folders();
  throw Error(
      fmt::format("{}: cannot be created: {}; choose another -o", what_, std::strerror(failed ? failed : ENOTDIR)));
}

void FolderLock::remove_folders() {
  for (const std::string& folder : made_) rmdir(folder.c_str());
}

}  // namespace tensor
