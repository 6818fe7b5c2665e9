/// Atomic files on POSIX: the temporary file lies in the target's folder, since rename is atomic within one file system
/// only.
#include "tensor/machine/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "tensor/check.h"

namespace tensor {

namespace {

constexpr size_t kBufferBytes = 1 << 20;
constexpr const char* kNoFile = "it is a device, a pipe or a socket; name a file";

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
  temporary_ = fmt::format("{}.{}-{}.partial", path_, getpid(), serial++);
  struct stat status;
  if (stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    if (S_ISDIR(status.st_mode)) fail("write", EISDIR);
    // The rename would put a file in the place of the device.
    throw Error(fmt::format("cannot write {}: {}", path_, kNoFile));
  }
  file_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file_ < 0) fail("create", errno);
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::write(std::string_view bytes) {
  check(file_ >= 0, "{}: written after it was finished", path_);
  pending_.append(bytes);
  if (pending_.size() >= kBufferBytes) flush();
}

void AtomicFile::flush() {
  const char* from = pending_.data();
  size_t left = pending_.size();
  while (left > 0) {
    const ssize_t written = ::write(file_, from, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("write", written < 0 ? errno : ENOSPC);
    from += written;
    left -= size_t(written);
  }
  pending_.clear();
}

void AtomicFile::finish() {
  check(file_ >= 0, "{}: finished twice", path_);
  flush();
  if (fsync(file_) != 0) fail("flush", errno);
  const int file = file_;
  file_ = -1;
  // Some file systems report a full disk only here.
  if (close(file) != 0) fail("close", errno);
}

void AtomicFile::commit() {
  check(!temporary_.empty(), "{}: committed twice", path_);
  if (file_ >= 0) finish();
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename onto", errno);
  temporary_.clear();
  // The new name itself survives a power cut once the folder is on the disk; not every file system can do that.
  const int folder = open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    fsync(folder);
    close(folder);
  }
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

std::string read_file(const std::string& path) {
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
  bytes.resize(size_t(status.st_size) + 1);
  for (;;) {
    const ssize_t got = ::read(file, bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(errno);
    if (got == 0) break;
    have += size_t(got);
    if (have == bytes.size()) bytes.resize(2 * have);
  }
  close(file);
  bytes.resize(have);
  return bytes;
}

}  // namespace tensor
