/// One process at a time in a folder, and nothing left of those that were killed.
#include "tensor/machine/folder_lock.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "tensor/check.h"
#include "tensor/machine/atomic_file.h"
#include "tests/message.h"
#include "tests/scratch.h"

namespace fs = std::filesystem;
using tensor::FolderLock;

TEST_CASE("a folder is locked once, by any path to it, and free again afterwards") {
  const Scratch scratch;
  const std::string folder = scratch / "a/b";
  {
    const FolderLock lock(folder);
    CHECK_REFUSED(FolderLock{folder}, "in use: another process");
    fs::create_directory_symlink("a/b", scratch / "link");
    CHECK_REFUSED(FolderLock{scratch / "link"}, "in use");
    lock.check_place();
    std::ofstream(folder + "/result") << "x";
  }
  CHECK(std::distance(fs::directory_iterator(folder), fs::directory_iterator()) == 1);
  const FolderLock again(folder);
}

TEST_CASE("folders that a lock made and nobody used are removed with it, others stay") {
  const Scratch scratch;
  scratch.folder("old");
  { const FolderLock made(scratch / "old/new/inner"), old(scratch / "old"); }
  CHECK(fs::exists(scratch / "old"));
  CHECK_FALSE(fs::exists(scratch / "old/new"));
  std::ofstream(scratch / "file") << "x";
  CHECK_REFUSED(FolderLock{scratch / "file/inner"}, "Not a directory");
}

TEST_CASE("a folder that another process removes as it ends is made once more") {
  const Scratch scratch;
  const std::string folder = scratch / "out/masks";
  std::atomic<bool> done = false;
  std::thread other([&] {
    // With pauses, or it could win against every one of the hundred attempts.
    for (; !done; std::this_thread::sleep_for(std::chrono::microseconds(50))) rmdir(folder.c_str());
  });
  for (int i = 0; i < 1000; ++i) CHECK_NOTHROW(FolderLock{folder});
  done = true;
  other.join();
}

TEST_CASE("a folder that was moved, replaced or lost its lock is no longer the one that was locked") {
  const Scratch scratch;
  const FolderLock lock(scratch / "here");
  fs::rename(scratch / "here", scratch / "there");
  CHECK_REFUSED(lock.check_place(), "moved");
  const FolderLock other(scratch / "here");
  CHECK_REFUSED(lock.check_place(), "moved");
  fs::remove(scratch / "here/.cris.lock");
  CHECK_REFUSED(other.check_place(), "lost its .cris.lock");
}

TEST_CASE("half-written files without a living writer are removed, a writer's and a person's stay") {
  const Scratch scratch;
  for (const char* name : {"x.png.12-3.partial", "draft.partial", "x.png.12-.partial", "y.png.7-0.partial"})
    std::ofstream(scratch / name) << "half";
  tensor::AtomicFile living(scratch / "x.png");
  living.write("whole");
  tensor::remove_abandoned(scratch.path, "x.png");
  CHECK_FALSE(fs::exists(scratch / "x.png.12-3.partial"));
  CHECK(scratch.entries() == 4);
  { const FolderLock lock(scratch.path); }
  CHECK(scratch.entries() == 3);
  CHECK(fs::exists(scratch / "draft.partial"));
  CHECK(fs::exists(scratch / "x.png.12-.partial"));
  living.commit();
  CHECK(tensor::read_file(scratch / "x.png") == "whole");
}
