/// cris study: many cells tuned, repeated and judged, on any number of machines.
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>

#include "cris/run/outputs.h"
#include "cris/study/status.h"
#include "cris/study/work.h"
#include "tools/commands/command.h"
#include "tools/commands/interrupt.h"

namespace tools {

namespace {

namespace fs = std::filesystem;

struct StudyOptions {
  std::string plan, folder, out, device;
  std::vector<std::string> data;
  int64_t threads = 0;
  bool no_wait = false;
};

/// Enters the study's folder: all its paths are relative. What the command line names is found from here before.
void enter(const std::string& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!failed) fs::current_path(folder, failed);
  if (failed)
    throw Failure(kData, fmt::format("{}: cannot be entered: {}; choose another -o", folder, failed.message()));
}

cris::Plan plan_in(const std::string& folder) {
  if (!fs::exists(folder + "/plan.toml"))
    throw Failure(kUsage, fmt::format("{}: holds no study (no plan.toml); give the -o of a cris study work", folder));
  const cris::Plan plan = cris::read_plan(folder + "/plan.toml");
  enter(folder);
  return plan;
}

int work(const StudyOptions& o) {
  const cris::Plan plan = cris::read_plan(o.plan);
  cris::Worker worker{.device = o.device, .threads = o.threads, .wait = !o.no_wait, .stop = stop_requested};
  for (const std::string& given : o.data) {
    const size_t equals = given.find('=');
    const std::string set = given.substr(0, equals);
    if (equals == std::string::npos) throw Failure(kUsage, fmt::format("--data {}: write SET=DIR", given));
    cris::set_of(plan, set);
    worker.data[set] = fs::absolute(given.substr(equals + 1)).lexically_normal();
  }
  cris::check_place(o.out);
  enter(o.out);
  outlive_reader();
  catch_signals();
  cris::ConsoleProgress progress(stdout);
  const cris::WorkDone done = cris::work_on_study(plan, worker, progress);
  if (done.end == cris::WorkDone::stopped) {
    progress.message("stopped; the same command goes on");
    return kStopped;
  }
  progress.message(cris::status_text(plan));
  for (const std::string& failure : done.failed) progress.message(failure);
  if (done.end == cris::WorkDone::others_at_work) progress.message("others hold what is left");
  return done.failed.empty() ? kOk : kNonFinite;
}

Run setup_study(CLI::App& app) {
  const auto o = std::make_shared<StudyOptions>();
  app.require_subcommand(1);
  const char* kPlanHelp = "the plan (TOML): docs/reference/study.md";

  CLI::App* working = app.add_subcommand("work", "takes pieces of the study until none is left; start any number");
  working->add_option("PLAN", o->plan, kPlanHelp)->required();
  working->add_option("-o,--out", o->out, "the study's folder, shared by all workers")->required();
  working->add_option("--data", o->data, "SET=DIR: where a set of the plan is; once for each")->allow_extra_args(false);
  working->add_option("--device", o->device, "who computes, where the plan does not say");
  working->add_option("--threads", o->threads, "of this worker; 0: as the plan says")->check(CLI::Range(0, 1024));
  working->add_flag("--no-wait", o->no_wait, "end when others hold all that is left, instead of waiting for them");

  CLI::App* status = app.add_subcommand("status", "how far the study is, and the time left");
  status->add_option("DIR", o->folder, "the study's folder")->required();

  return [=] {
    if (working->parsed()) return work(*o);
    fmt::print("{}", cris::status_text(plan_in(o->folder)));
    return int(kOk);
  };
}

const Command study(45, "study", "the paper's study: tune, repeat, compare, on any number of machines", setup_study);

}  // namespace

}  // namespace tools
