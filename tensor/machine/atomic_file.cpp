/// Atomic files on POSIX: the temporary file lies in the target's folder, since rename is atomic within one file system
/// only.
#include "tensor/machine/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>
#include <stdexcept>

#include "tensor/check.h"

namespace tensor {

namespace {

constexpr size_t kBufferBytes = 1 << 20;
constexpr const char* kNoFile = "it is a device, a pipe or a socket; name a file";
constexpr const char* kEnd = ".partial";

std::string folder_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

const char* remedy(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space or choose another disk";
    case EACCES:
    case EPERM:
    case EROFS:
      return "; choose a folder that you may write to";
    case ENOENT:
      return "; does the folder exist?";
    default:
      return "";
  }
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  // The process id and a counter keep two writers of one target apart.
  static std::atomic<unsigned> serial{0};
  temporary_ = fmt::format("{}.{}-{}{}", path_, getpid(), serial++, kEnd);
  struct stat status;
  if (stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    if (S_ISDIR(status.st_mode)) fail("write", EISDIR);
    // The rename would put a file in the place of the device.
    throw Error(fmt::format("cannot write {}: {}", path_, kNoFile));
  }
  do {
    if (file_ >= 0) close(file_);
    file_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ < 0) fail("create", errno);
    // The lock says that its writer lives; whoever found the file without one has removed it.
    flock(file_, LOCK_EX);
  } while (fstat(file_, &status) == 0 && status.st_nlink == 0);
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::write(std::string_view bytes) {
  check(!finished_, "{}: written after it was finished", path_);
  if (pending_.size() + bytes.size() < kBufferBytes) {
    pending_.append(bytes);
    return;
  }
  flush();
  put(bytes);
}

void AtomicFile::rewrite(int64_t at, std::string_view bytes) {
  flush();
  if (pwrite(file_, bytes.data(), bytes.size(), at) != ssize_t(bytes.size())) fail("write", errno ? errno : ENOSPC);
}

void AtomicFile::put(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("write", written < 0 ? errno : ENOSPC);
    bytes.remove_prefix(size_t(written));
  }
}

void AtomicFile::flush() {
  put(pending_);
  pending_.clear();
}

void AtomicFile::finish() {
  check(!finished_, "{}: finished twice", path_);
  flush();
  if (fsync(file_) != 0) fail("flush", errno);
  // Some file systems report a full disk only when a file is closed; it stays open itself, for the lock.
  const int copy = dup(file_);
  if (copy < 0 || close(copy) != 0) fail("close", errno);
  finished_ = true;
}

void AtomicFile::commit() {
  check(!temporary_.empty(), "{}: committed twice", path_);
  if (!finished_) finish();
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename onto", errno);
  temporary_.clear();
  discard();
  sync_folder_of(path_);
}

void AtomicFile::discard() {
  if (file_ >= 0) close(file_);
  file_ = -1;
  if (!temporary_.empty()) unlink(temporary_.c_str());
  temporary_.clear();
}

void AtomicFile::fail(const char* what, int error) {
  // A file that was there before this writer must not be removed with it.
  if (error == EEXIST) temporary_.clear();
  discard();
  throw Error(fmt::format("cannot {} {}: {}{}", what, path_, std::strerror(error), remedy(error)));
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void sync_folder_of(const std::string& path) {
  // Not every file system can do that.
  const int folder = open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  fsync(folder);
  close(folder);
}

void remove_abandoned(const std::string& folder, const std::string& target) {
  namespace fs = std::filesystem;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, none)) {
    std::string name = entry.path().filename();
    if (!name.ends_with(kEnd)) continue;
    name.resize(name.size() - std::strlen(kEnd));
    // TARGET.PROCESS-SERIAL: what a person calls .partial is not ours.
    const size_t dash = name.find_last_not_of("0123456789"), dot = name.find_last_not_of("0123456789", dash - 1);
    if (dash == std::string::npos || name[dash] != '-' || dash + 1 == name.size() || dot == std::string::npos ||
        name[dot] != '.' || dot + 1 == dash || (!target.empty() && name.substr(0, dot) != target))
      continue;
    const int file = open(entry.path().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) continue;
    if (flock(file, LOCK_EX | LOCK_NB) == 0) unlink(entry.path().c_str());
    close(file);
  }
}

std::string read_file(const std::string& path, int64_t max_bytes) {
  // Without O_NONBLOCK, opening a pipe waits for a writer.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  const auto refuse = [&](const std::string& reason) {
    if (file >= 0) close(file);
    throw Error(fmt::format("cannot read {}: {}", path, reason));
  };
  const auto fail = [&](int error) { refuse(error == ENXIO ? kNoFile : std::strerror(error)); };  // ENXIO: a socket
  if (file < 0) fail(errno);
  std::string bytes;
  struct stat status;
  if (fstat(file, &status) != 0) fail(errno);
  if (S_ISDIR(status.st_mode)) fail(EISDIR);
  if (!S_ISREG(status.st_mode)) refuse(kNoFile);
  // The size is a hint: a file may still grow.
  size_t have = 0;
  try {
    bytes.resize(size_t(std::min<int64_t>(status.st_size, max_bytes)) + 1);
    for (;;) {
      if (status.st_size > max_bytes || int64_t(have) > max_bytes)
        refuse(fmt::format("it has more than {} bytes, too many for what it is read as", max_bytes));
      const ssize_t got = ::read(file, bytes.data() + have, bytes.size() - have);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail(errno);
      if (got == 0) break;
      have += size_t(got);
      if (have == bytes.size()) bytes.resize(2 * have);
    }
  } catch (const std::bad_alloc&) {
    refuse(fmt::format("there is no memory for its {} bytes", status.st_size));
  } catch (const std::length_error&) {
    refuse(fmt::format("its {} bytes are more than any memory", status.st_size));
  }
  close(file);
  bytes.resize(have);
  return bytes;
}

}  // namespace tensor
