/// Commands that go through many pictures: each is decoded once, reading and writing go on beside the computation, and
/// a person sees how far the work is.
#pragma once
#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "cris/run/progress.h"
#include "data/image.h"
#include "data/pipeline.h"
#include "tensor/machine/folder_lock.h"
#include "tensor/machine/threads.h"
#include "tools/commands/command.h"

namespace tools {

struct ManyPictures {
  std::string what;  ///< for the progress: "predicting"
  std::string out;   ///< for messages: where results are; empty: none are written
  int64_t count = 0;
  int threads = tensor::threads();
  int64_t ahead = 2 * threads + 2;
  bool skip_bad = false;
  cris::Progress* progress = nullptr;
};
/// --skip-bad of such a command.
void add_skip_bad(CLI::App& app, bool& skip_bad);

/// How it ended.
struct PicturesDone {
  int64_t written = 0, skipped = 0;
  bool stopped = false;
  /// kOk; kData when some were skipped, kStopped after a signal. Says both by `progress`.
  int exit_code(const ManyPictures& of) const;
};

/// The locks of folders, outermost first. Those that were made for it go again at the end where nothing was put into
/// them: work that failed before its first result leaves none.
std::list<tensor::FolderLock> lock_all(const std::vector<std::string>& folders);

/// data::run_pipeline of these steps. With skip_bad a data::FormatError of `read` is told, counted, and the picture
/// left out; else it ends the work, once the pictures before it are written. Every failure says how many results are
/// there. The first signal ends it when what is under way is written.
PicturesDone through_pictures(const ManyPictures& of, const data::Pipeline& steps);

}  // namespace tools
