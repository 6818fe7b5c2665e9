/// What bad pictures, full disks and signals do to such work is decided here, once.
#include "tools/commands/many_pictures.h"

#include "cris/nonfinite.h"
#include "data/format_error.h"
#include "tensor/machine/allocator.h"
#include "tools/commands/interrupt.h"

namespace tools {

void add_skip_bad(CLI::App& app, bool& skip_bad) {
  app.add_flag("--skip-bad", skip_bad, "leave out files that cannot be read, name them, and end with exit code 3");
}

int PicturesDone::exit_code(const ManyPictures& of) const {
  if (stopped && of.out.empty()) of.progress->message("stopped");
  if (stopped && !of.out.empty())
    of.progress->message(
        fmt::format("stopped: {} of {} pictures are in {}, each whole; the same command makes all "
                    "of them again",
                    written, of.count, of.out));
  if (skipped > 0) of.progress->message(fmt::format("skipped {} of {} files", skipped, of.count));
  return stopped ? kStopped : skipped > 0 ? kData : kOk;
}

std::list<tensor::FolderLock> lock_all(const std::vector<std::string>& folders) {
  std::list<tensor::FolderLock> locks;  // ends from its front: the innermost folder goes first
  for (const std::string& folder : folders) locks.emplace_front(folder);
  return locks;
}

PicturesDone through_pictures(const ManyPictures& of, const data::Pipeline& steps) {
  // What is wrong with a picture that is under way; empty: nothing.
  std::vector<std::string> wrong(size_t(of.ahead));
  const auto slot = [&](int64_t i) -> std::string& { return wrong[size_t(i % of.ahead)]; };
  PicturesDone done;
  data::Pipeline p;
  p.ahead = of.ahead, p.threads = of.threads;
  p.stop = stop_requested;
  p.read = [&](int64_t i) {
    slot(i).clear();
    try {
      steps.read(i);
    } catch (const data::FormatError& e) {
      if (!of.skip_bad) throw;
      slot(i) = e.what();
    }
  };
  p.compute = [&](int64_t i) {
    if (slot(i).empty()) steps.compute(i);
  };
  p.encode = [&](int64_t i) {
    if (slot(i).empty()) steps.encode(i);
  };
  p.write = [&](int64_t i) {
    if (slot(i).empty())
      steps.write(i), ++done.written;
    else
      ++done.skipped, of.progress->message("skipped: " + slot(i));
    of.progress->count(of.what, i + 1, of.count);
  };
  catch_signals();
  try {
    done.stopped = data::run_pipeline(of.count, p) < of.count;
    of.progress->end();
  } catch (const data::FormatError& e) {
    if (of.count == 1) throw;
    if (of.out.empty() || done.written == 0)
      throw data::FormatError(fmt::format("{}; --skip-bad goes on without it", e.what()));
    throw data::FormatError(
        fmt::format("{}. {} holds the results of {} of {} images; --skip-bad goes on without bad ones", e.what(),
                    of.out, done.written, of.count));
  } catch (const Failure&) {
    throw;
  } catch (const tensor::OutOfMemory&) {
    throw;
  } catch (const tensor::Error& e) {
    if (dynamic_cast<const cris::NonFiniteError*>(&e)) throw;
    throw data::FormatError(
        fmt::format("{}. {} holds the results of {} of {} images, each whole; the same command makes all of them again",
                    e.what(), of.out, done.written, of.count));
  }
  return done;
}

}  // namespace tools
