/// cris verify: re-checks the hashes that a run keeps of its files, its split and its data.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "cris/run/run_directory.h"
#include "data/format_error.h"
#include "data/hash.h"
#include "nn/json_text.h"
#include "tensor/machine/atomic_file.h"
#include "tools/commands/command.h"

namespace tools {

namespace {

Run setup_verify(CLI::App& app) {
  struct Options {
    std::string run, data;
  };
  auto o = std::make_shared<Options>();
  app.add_option("RUN", o->run, "run directory")->required();
  app.add_option("--data", o->data, "the data, if it moved since the training");
  return [o] {
    const std::string sums = o->run + "/SHA256SUMS";
    if (!std::filesystem::exists(sums))
      throw Failure(kVerification,
                    fmt::format("{}: is not a complete run (it has no SHA256SUMS); finish it with cris train", o->run));
    int64_t good = 0, bad = 0;
    const auto judge = [&](const std::string& what, bool ok, const std::string& why) {
      ++(ok ? good : bad);
      if (!ok) fmt::print("FAILED  {}: {}\n", what, why);
    };
    // The list is checked too: it must name all of the run's own files, and no others are read.
    std::map<std::string, std::string> listed;
    std::istringstream lines(tensor::read_file(sums));
    for (std::string line; std::getline(lines, line);) {
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
        fmt::print("removed {}: removed.txt says so\n", name);
        continue;
      }
      const std::string file = o->run + "/" + name;
      try {
        judge(name, data::sha256(tensor::read_file(file)) == hash, "was changed after the run");
      } catch (const tensor::Error& e) {
        judge(name, false, std::filesystem::exists(file) ? e.what() : "is missing");
      }
    }
    try {
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
    } catch (const std::exception& e) {
      judge("data", false, e.what());
    }
    fmt::print("{} checked, {} failed\n", good + bad, bad);
    return int(bad ? kVerification : kOk);
  };
}

const Command verify(90, "verify", "re-check the hashes of a run, its split and its data", setup_verify);

}  // namespace

}  // namespace tools
