/// Commands that go through many pictures: each is decoded once, reading and writing go on beside the computation, and
/// a person sees how far the work is.
#pragma once
#include <cstdint>
#include <string>

#include "cris/run/progress.h"
#include "data/image.h"
#include "data/pipeline.h"
#include "tools/commands/command.h"

namespace tools {

struct ManyPictures {
  std::string what;  ///< for the progress: "predicting"
  std::string out;   ///< for messages: where results are; empty: none are written
  int64_t count = 0, ahead = 8;
  int threads = 0;
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

/// Those of the folders, outermost first, that are not there yet.
std::vector<std::string> missing_folders(const std::vector<std::string>& folders);
/// Work that failed before its first result leaves no empty folders: removes those of `made` that are empty, innermost
/// (the last) first.
void remove_empty(const std::vector<std::string>& made);

/// data::run_pipeline of these steps. With skip_bad a data::FormatError of `read` is told, counted, and the picture
/// left out; else it ends the work, once the pictures before it are written. Every failure says how many results are
/// there. The first signal ends it when what is under way is written.
PicturesDone through_pictures(const ManyPictures& of, const data::Pipeline& steps);

}  // namespace tools
