/// cris study: many cells tuned, repeated and judged, on any number of machines.
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>

#include "cris/report/html_page.h"
#include "cris/run/outputs.h"
#include "cris/run/shell_word.h"
#include "cris/study/estimate.h"
#include "cris/study/records.h"
#include "cris/study/slurm.h"
#include "cris/study/status.h"
#include "cris/study/study_report.h"
#include "cris/study/work.h"
#include "data/format_error.h"
#include "tensor/machine/atomic_file.h"
#include "tools/commands/command.h"
#include "tools/commands/help.h"
#include "tools/commands/interrupt.h"

namespace tools {

namespace {

namespace fs = std::filesystem;

struct StudyOptions {
  std::string plan, folder, out, device;
  std::vector<std::string> data;
  std::string title = "CRIS: the study, claimed beside measured";
  std::optional<int64_t> threads;
  bool no_wait = false, dry_run = false;
  cris::SlurmJob slurm;
};

/// Of the study in `folder`.
cris::Plan plan_in(const std::string& folder) {
  if (!fs::exists(folder + "/plan.toml"))
    throw Failure(kUsage, "{}: holds no study (no plan.toml); give the -o of a cris study work", folder);
  return cris::read_plan(folder + "/plan.toml");
}

/// Makes the study's folder the present one: all its paths are relative.
void enter(const std::string& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!failed) fs::current_path(folder, failed);
  if (failed) throw Failure(kData, "{}: cannot be entered: {}; choose another -o", folder, failed.message());
}

std::string absolute(const std::string& path) { return fs::absolute(path).lexically_normal(); }

/// SET=DIR of each --data, DIR from the root.
std::map<std::string, std::string> data_folders(const StudyOptions& o, const cris::Plan& plan) {
  std::map<std::string, std::string> folders;
  for (const std::string& given : o.data) {
    const size_t equals = given.find('=');
    if (equals == std::string::npos || equals + 1 == given.size())
      throw Failure(kUsage, "--data {}: write SET=DIR", given);
    folders[cris::set_of(plan, given.substr(0, equals)).name] = absolute(given.substr(equals + 1));
  }
  return folders;
}

int list_study(const StudyOptions& o) {
  const cris::Plan plan = cris::read_plan(o.plan);
  cris::ConsoleProgress progress(stderr);
  std::vector<cris::CellTime> times;
  if (!o.dry_run) times = cris::estimate_times(plan, o.device, o.threads.value_or(0), progress);
  fmt::print("{}", cris::plan_text(plan, times));
  return kOk;
}

int work_in_study(const StudyOptions& o) {
  const cris::Plan plan = cris::read_plan(o.plan);
  const cris::Worker worker{.data = data_folders(o, plan),
                            .device = o.device,
                            .threads = o.threads.value_or(0),
                            .wait = !o.no_wait,
                            .stop = stop_requested};
  cris::check_place(o.out);
  enter(o.out);
  outlive_reader();
  catch_signals();
  cris::ConsoleProgress progress(stderr);
  const cris::WorkDone done = cris::work_on_study(plan, worker, progress);
  if (done.end == cris::WorkDone::stopped) {
    progress.message("stopped; the same command goes on");
    return kStopped;
  }
  progress.end();
  fmt::print("{}", cris::status_text(plan));
  for (const std::string& failure : done.failed) progress.message(failure);
  if (done.end == cris::WorkDone::others_at_work) progress.message("others hold what is left");
  return done.failed.empty() ? kOk : kNonFinite;
}

int show_study(const StudyOptions& o) {
  const cris::Plan plan = plan_in(o.folder);
  enter(o.folder);
  fmt::print("{}", cris::status_text(plan));
  return kOk;
}

int record_study(const StudyOptions& o) {
  const cris::Plan plan = plan_in(o.folder);
  outlive_reader();
  cris::check_place(o.out);
  const cris::RecordsMade made = cris::collect_records(plan, o.folder, o.out);
  fmt::print("{}: {} final runs, {:.2f} MB{}\n", o.out, made.runs, double(made.bytes) / 1e6,
             made.missing ? fmt::format("; {} runs are not complete yet", made.missing) : "");
  return kOk;
}

int report_study(const StudyOptions& o) {
  outlive_reader();
  if (!o.out.empty()) require_output(o.out);
  const cris::StudyReport made = cris::study_report(o.folder, o.title);
  if (!o.out.empty()) cris::write_page(o.out, made.html);
  fmt::print("{}{}\n{}", made.text, wrapped(made.note, 0), o.out.empty() ? "" : "report: " + o.out + "\n");
  return kOk;
}

int queue_study(const StudyOptions& o) {
  const cris::Plan plan = cris::read_plan(o.plan);
  cris::SlurmJob job = o.slurm;
  job.folder = absolute(o.out);
  job.gpu = o.device == "cuda" || std::ranges::any_of(plan.cells, [](const cris::Cell& cell) {
              return cell.config.run.device == tensor::Device::cuda;
            });
  job.worker = {fs::read_symlink("/proc/self/exe"), "study", "work", absolute(o.plan), "-o", job.folder};
  for (const auto& [set, folder] : data_folders(o, plan))
    job.worker.insert(job.worker.end(), {"--data", set + "=" + folder});
  if (!o.device.empty()) job.worker.insert(job.worker.end(), {"--device", o.device});
  job.worker.insert(job.worker.end(), {"--threads", std::to_string(job.cpus), "--no-wait"});
  const std::string script = job.folder + "/study.sbatch", text = cris::slurm_script(job);
  data::require_data(!fs::exists(script) || tensor::read_file(script) == text,
                     "{} differs from what this command writes; remove it, or choose another -o", script);
  fs::create_directories(job.folder);
  tensor::write_file_atomically(script, text);
  fmt::print("submit with: sbatch {}\n", cris::shell_word(script));
  return kOk;
}

Run setup_study(CLI::App& app) {
  const auto o = std::make_shared<StudyOptions>();
  app.require_subcommand(1);
  const auto add = [&](const char* name, const char* help, int (*run)(const StudyOptions&)) {
    CLI::App* sub = app.add_subcommand(name, help);
    return std::pair{sub, run};
  };
  const auto planning =
      add("plan", "the cells, their pieces of work, and the hours by steps measured here", list_study);
  const auto working =
      add("work", "take pieces of the study until none is left; start any number of these", work_in_study);
  const auto asking = add("status", "how far the study is, and the time left", show_study);
  const auto recording =
      add("records", "collect what tables and decisions follow from, for a repository", record_study);
  const auto reporting = add("report", "both tables, intervals and verdicts, from records alone", report_study);
  const auto queueing = add("slurm", "write an array job whose tasks are workers", queue_study);

  for (CLI::App* sub : {planning.first, working.first, queueing.first}) {
    sub->add_option("PLAN", o->plan, "the plan (TOML): docs/reference/study.md")->required();
    sub->add_option("--device", o->device, "who computes, where the plan does not say");
  }
  for (CLI::App* sub : {working.first, queueing.first}) {
    sub->add_option("-o,--out", o->out, "the study's folder, shared by all workers")->type_name("DIR")->required();
    add_repeatable(*sub, "--data", o->data, "where a set of the plan is; once for each")->type_name("SET=DIR");
  }
  for (CLI::App* sub : {planning.first, working.first})
    sub->add_option("--threads", o->threads, "of a worker; 0: as the plan says")->check(CLI::Range(0, 1024));
  planning.first->add_flag("--dry-run", o->dry_run, "list only; measure nothing");
  working.first->add_flag("--no-wait", o->no_wait, "end when others hold all that is left, instead of waiting");
  for (CLI::App* sub : {asking.first, recording.first})
    sub->add_option("DIR", o->folder, "the study's folder")->required();
  recording.first->add_option("-o,--out", o->out, "where to write the records")->type_name("DIR")->required();
  reporting.first->add_option("RECORDS", o->folder, "what cris study records wrote")->required();
  reporting.first->add_option("-o,--out", o->out, "an offline page to write")->type_name("FILE");
  reporting.first->add_option("--title", o->title, "its heading");
  queueing.first->add_option("--tasks", o->slurm.tasks, "workers")->check(CLI::Range(1, 1000));
  queueing.first->add_option("--cpus", o->slurm.cpus, "of each")->check(CLI::Range(1, 1024));
  queueing.first->add_option("--time", o->slurm.time, "limit of a task, as sbatch reads it");

  add_example(*planning.first, "study plan plan.toml");
  add_example(*working.first, "study work plan.toml --data kvasir-seg=data/kvasir-seg -o study");
  add_example(*asking.first, "study status study");
  add_example(*recording.first, "study records study -o records");
  add_example(*reporting.first, "study report records -o study.html");
  add_example(*queueing.first, "study slurm plan.toml --data kvasir-seg=data -o study --tasks 8");
  return [=] {
    for (const auto& [sub, run] : {planning, working, asking, recording, reporting, queueing})
      if (sub->parsed()) return run(*o);
    return int(kUsage);
  };
}

const Command study(45, "study", "the paper's study: tune, repeat, compare, on any number of machines", setup_study);

}  // namespace

}  // namespace tools
