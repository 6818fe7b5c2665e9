/// cris verify: re-checks the hashes that a run keeps of its files, its split and its data; with --recompute its
/// numbers.
#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <limits>
#include <map>

#include "cris/report/recompute.h"
#include "cris/run/run_directory.h"
#include "data/files.h"
#include "data/format_error.h"
#include "data/hash.h"
#include "nn/json_text.h"
#include "nn/safetensors.h"
#include "tensor/machine/atomic_file.h"
#include "tools/commands/command.h"

namespace tools {

namespace {

Run setup_verify(CLI::App& app) {
  struct Options {
    std::string run, data;
    bool recompute = false, json = false;
    int64_t steps = 8;
  };
  auto o = std::make_shared<Options>();
  app.add_option("RUN", o->run, "run directory")->required();
  app.add_option("--data", o->data, "the data, if it moved since the training")->type_name("DIR");
  CLI::Option* recompute = app.add_flag("--recompute", o->recompute,
                                        "evaluate the best checkpoint again, train the first steps again, and compare");
  app.add_option_function<std::string>(
         "--steps",
         [o](const std::string& text) {
           o->steps = std::numeric_limits<int64_t>::max();
           if (text != "all" && (!CLI::detail::lexical_cast(text, o->steps) || o->steps < 1))
             throw CLI::ValidationError("--steps", fmt::format("\"{}\": give a number of steps, or all", text));
         },
         "how many steps --recompute trains again, or all")
      ->needs(recompute)
      ->default_str("8");
  app.add_flag("--json", o->json, "print JSON: what was checked, what failed and why, notes");
  add_example(app, "verify runs/kvasir");
  add_example(app, "verify runs/kvasir --recompute --steps 20");
  add_example(app, "tune replay tune.journal");
  return [o] {
    const std::string sums = o->run + "/SHA256SUMS";
    data::require_data(std::filesystem::is_directory(o->run), "{}: no such folder; name a run", o->run);
    if (!std::filesystem::exists(sums))
      throw Failure(kVerification, "{}: is not a complete run (it has no SHA256SUMS); finish it with cris train",
                    o->run);
    if (o->recompute) cris::apply_run_settings(cris::config_of_run(o->run, {.data = o->data}));  // is its device here?
    if (o->recompute) cris::require_scratch_folder();
    int64_t good = 0, bad = 0;
    nlohmann::ordered_json failures = nlohmann::ordered_json::array(), notes = nlohmann::ordered_json::array();
    const auto note = [&](const std::string& text) {
      notes.push_back(text);
      if (!o->json) fmt::print("{}\n", text);
    };
    const auto judge = [&](const std::string& what, bool ok, const std::string& why) {
      ++(ok ? good : bad);
      if (ok) return;
      failures.push_back({{"what", what}, {"why", why}});
      if (!o->json) fmt::print("FAILED  {}: {}\n", what, why);
    };
    // The list is checked too: it must name all of the run's own files, and no others are read.
    std::map<std::string, std::string> listed;
    for (const std::string& line : data::lines_of(tensor::read_file(sums))) {
      const std::string name = line.size() < 67 ? "" : line.substr(66);
      if (name.empty() || !listed.emplace(name, line.substr(0, 64)).second)
        judge("SHA256SUMS", false, "a line is damaged");
      else if (!cris::is_own_name(name))
        judge(name, false, "is listed, but is not a file of a run");
    }
    for (const std::string& name : cris::own_files(o->run))
      if (!listed.contains(name)) judge(name, false, "is there, and SHA256SUMS does not list it");
    for (const char* name : cris::kAlwaysSealed)
      if (!listed.contains(name) && !std::filesystem::exists(o->run + "/" + name)) judge(name, false, "is missing");
    const std::vector<std::string> removed = cris::removed_on_purpose(o->run);
    for (const auto& [name, hash] : listed) {
      if (!cris::is_own_name(name)) continue;
      if (std::ranges::find(removed, name) != removed.end() && !std::filesystem::exists(o->run + "/" + name)) {
        note(fmt::format("removed {}: removed.txt says so", name));
        continue;
      }
      const std::string file = o->run + "/" + name;
      try {
        judge(name, data::sha256(tensor::read_file(file)) == hash, "was changed after the run");
      } catch (const tensor::Error& e) {
        judge(name, false, std::filesystem::exists(file) ? e.what() : "is missing");
      }
    }
    // What cannot be done is a failure too, and does not keep the rest from being checked.
    const auto attempt = [&](const char* what, const std::function<void()>& check) {
      try {
        check();
      } catch (const std::exception& e) {
        judge(what, false, e.what());
      }
    };
    const char* const last = "checkpoints/last.safetensors";
    attempt(last, [&] {
      if (!std::filesystem::exists(o->run + "/" + last)) return;
      const auto position =
          nn::parse_json<nlohmann::json>(nn::read_safetensors(o->run + "/" + last).metadata.at("position"));
      // It counts what the training wrote: a line edited since is found though the list is made anew.
      for (const auto& [name, key] : {std::pair{"metrics.jsonl", "metrics_sha256"}, {"epochs.csv", "epochs_sha256"}})
        judge(name, data::sha256(tensor::read_file(o->run + "/" + name)) == position.at(key),
              fmt::format("is not the file that {} was written beside", last));
    });
    attempt("data", [&] {
      const auto manifest = nn::parse_json<nlohmann::json>(tensor::read_file(o->run + "/manifest.json"));
      const cris::Config config = cris::config_of_run(o->run, {.data = o->data});
      const cris::ExperimentData data = cris::open_data(config);
      std::string changed;
      try {
        cris::require_same_data(o->run, config, data);
      } catch (const data::FormatError& e) {
        changed = e.what();
      }
      judge("data", changed.empty(), changed);
      judge("split", data::split_hash(data.split) == manifest.at("split_sha256"), "the split made now is another");
      judge("split.txt", data::split_hash(data::read_split(o->run + "/split.txt")) == manifest.at("split_sha256"),
            "is not the split of the manifest");
      judge("data.sha256", !changed.empty() || tensor::read_file(o->run + "/data.sha256") == data.files,
            "does not list the data as they are");
      judge("manifest.json", manifest.at("seed") == config.train.seed, "its seed is not that of the configuration");
      if (!o->recompute || !changed.empty()) return;
      if (const std::string other = cris::other_arithmetic(o->run, config); !other.empty())
        note(fmt::format("note: {}: numbers are compared to within 0.001, pictures and weights are not", other));
      const cris::Verdict verdict = [&](const std::string& name, const std::string& difference) {
        judge(name, difference.empty(), difference);
      };
      attempt("measures", [&] { note(cris::recompute_measures(o->run, config, data, verdict)); });
      attempt("steps", [&] { note(cris::replay_steps(o->run, config, data, o->steps, verdict)); });
    });
    const nlohmann::ordered_json all = {
        {"run", o->run}, {"checked", good + bad}, {"failed", bad}, {"failures", failures}, {"notes", notes}};
    if (o->json)
      fmt::print("{}\n", all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    else
      fmt::print("{} files and facts checked, {} failed\n", good + bad, bad);
    return int(bad ? kVerification : kOk);
  };
}

const Command verify(90, "verify", "re-check the hashes of a run, its split and its data; --recompute its numbers",
                     setup_verify);

}  // namespace

}  // namespace tools
