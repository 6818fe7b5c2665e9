/// One process at a time in a folder.
#pragma once
#include <string>
#include <vector>

#include "tensor/check.h"

namespace tensor {

/// Another process works in the folder.
class FolderInUse : public Error {
 public:
  using Error::Error;
};

/// The lock of a folder: its file .cris.lock, locked by flock as long as this lives, so that a killed process leaves
/// none. The folder is made where it is missing, and removed at the end where nothing was put into it.
class FolderLock {
 public:
  /// Takes the lock and removes what killed processes left half-written in the folder itself. Throws FolderInUse when
  /// another process has it, Error when the folder cannot be written, and when its file system has no locks.
  /// `file`: the lock's, where only a part of the folder is locked, which `what` names in messages.
  explicit FolderLock(std::string folder, const std::string& file = ".cris.lock", std::string what = "");
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  /// Throws Error when the folder's path leads to another folder by now, or the lock's file was removed.
  void check_place() const;

 private:
  std::string folder_, path_, what_;
  int file_ = -1;
  std::vector<std::string> made_;  // the folder and its parents that were missing, the innermost first
  bool here() const;
  void make_folders();
  void remove_folders();
};

}  // namespace tensor
