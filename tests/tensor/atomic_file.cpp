/// Files are whole or absent, even when the disk is full.
#include "tensor/machine/atomic_file.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>

#include "tensor/check.h"
#include "tests/message.h"
#include "tests/scratch.h"

namespace {

namespace fs = std::filesystem;

/// No file may grow beyond `bytes`: a write then fails as on a full disk.
struct FullDisk {
  rlimit before;
  explicit FullDisk(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{bytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before); }
};

}  // namespace

TEST_CASE("a written file reads back, large and empty ones too") {
  const Scratch folder;
  const std::string path = folder / "x";
  for (const size_t size : {size_t(0), size_t(5), size_t(3 << 20)}) {
    std::string bytes(size, 'a');
    if (size > 0) bytes[size / 2] = '\0';
    tensor::write_file_atomically(path, bytes);
    CHECK(tensor::read_file(path) == bytes);
  }
  CHECK(folder.entries() == 1);
}

TEST_CASE("a file that is not committed leaves the older one as it was") {
  const Scratch folder;
  const std::string path = folder / "x";
  tensor::write_file_atomically(path, "old");
  {
    tensor::AtomicFile file(path);
    file.write("new");
  }
  CHECK(tensor::read_file(path) == "old");
  CHECK(folder.entries() == 1);
  tensor::AtomicFile file(path);
  file.write("ne");
  file.write("w");
  file.commit();
  CHECK(tensor::read_file(path) == "new");
  CHECK_THROWS_AS(file.write("more"), tensor::Error);
  CHECK_THROWS_AS(file.commit(), tensor::Error);
}

TEST_CASE("a full disk is reported and leaves nothing half-written") {
  const Scratch folder;
  const std::string path = folder / "x";
  tensor::write_file_atomically(path, "old");
  {
    const FullDisk full(4096);
    CHECK_REFUSED(tensor::write_file_atomically(path, std::string(3 << 20, 'b')), path.c_str());
  }
  CHECK(tensor::read_file(path) == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("only regular files are written and read: a pipe would wait for ever, a device never end") {
  const Scratch folder;
  const std::string path = folder / "pipe";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  CHECK_REFUSED(tensor::write_file_atomically(path, "x"), "name a file");
  CHECK(fs::is_fifo(path));
  for (const std::string& odd : {path, std::string("/dev/null")})
    CHECK_REFUSED(tensor::read_file(odd), (odd + ": it is a device, a pipe or a socket; name a file").c_str());
  CHECK_REFUSED(tensor::read_file(folder.path), "directory");
}

TEST_CASE("a finished file lacks its name only, so that several appear together or not at all") {
  const Scratch folder;
  const std::string path = folder / "x";
  {
    tensor::AtomicFile file(path);
    file.write("new");
    file.finish();
    CHECK_THROWS_AS(file.write("more"), tensor::Error);
    CHECK_THROWS_AS(file.finish(), tensor::Error);
    CHECK_FALSE(fs::exists(path));
  }
  CHECK(folder.entries() == 0);
  {
    tensor::AtomicFile file(path);
    file.write("new");
    file.finish();
    file.commit();
    CHECK_THROWS_AS(file.commit(), tensor::Error);
  }
  CHECK(tensor::read_file(path) == "new");
  CHECK(folder.entries() == 1);
}

TEST_CASE("errors name the file and the reason") {
  CHECK_REFUSED(tensor::read_file("/nowhere/x"), "/nowhere/x");
  CHECK_REFUSED(tensor::write_file_atomically("/nowhere/x", ""), "/nowhere/x");
}

TEST_CASE("bytes that were written can be put right before the file is there, large ones too") {
  const Scratch folder;
  const std::string path = folder / "x";
  tensor::AtomicFile file(path);
  file.write("head 0000 ");
  file.write(std::string(3 << 20, 'b'));
  file.write("end");
  file.rewrite(5, "1234");
  file.commit();
  CHECK(tensor::read_file(path) == "head 1234 " + std::string(3 << 20, 'b') + "end");
}

TEST_CASE("a file larger than what it is read as is refused before it is read") {
  const Scratch folder;
  const std::string path = folder / "x";
  tensor::write_file_atomically(path, "12345");
  CHECK(tensor::read_file(path, 5) == "12345");
  CHECK_REFUSED(tensor::read_file(path, 4), "x: it has more than 4 bytes");
  fs::resize_file(path, uintmax_t(1) << 42);  // takes no room on the disk
  CHECK_REFUSED(tensor::read_file(path, 1 << 20), "more than 1048576 bytes");
}
