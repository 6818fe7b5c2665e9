/// cris verify: re-checks the hashes that a run keeps of its files, its split and its data.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cris/run.h"
#include "data/format_error.h"
#include "data/hash.h"
#include "tensor/atomic_file.h"
#include "tools/command.h"

namespace tools {

namespace {

Run setup(CLI::App& app) {
  struct Options {
    std::string run, data;
  };
  auto o = std::make_shared<Options>();
  app.add_option("RUN", o->run, "run directory")->required();
  app.add_option("--data", o->data, "the data, if it moved since the training");
  return [o] {
    cris::Config config = cris::config_of_run(o->run);
    if (!o->data.empty()) config.data.dir = o->data;
    const std::string sums = o->run + "/SHA256SUMS";
    if (!std::filesystem::exists(sums))
      throw Failure(
          kVerification,
          fmt::format("{}: the run is not complete (it has no SHA256SUMS); finish it with cris train", o->run));
    int64_t good = 0, bad = 0;
    const auto judge = [&](const std::string& what, bool ok, const std::string& why) {
      ++(ok ? good : bad);
      if (!ok) fmt::print("FAILED  {}: {}\n", what, why);
    };
    std::istringstream lines(tensor::read_file(sums));
    for (std::string line; std::getline(lines, line);) {
      if (line.size() < 67) {
        judge(sums, false, "a line is damaged");
        continue;
      }
      const std::string name = line.substr(66), file = o->run + "/" + name;
      if (!std::filesystem::exists(file))
        judge(name, false, "is missing");
      else
        judge(name, data::sha256(tensor::read_file(file)) == line.substr(0, 64), "was changed after the run");
    }
    const auto manifest = nlohmann::json::parse(tensor::read_file(o->run + "/manifest.json"), nullptr, false);
    if (!manifest.is_object()) throw Failure(kVerification, fmt::format("{}/manifest.json is damaged", o->run));
    try {
      const cris::ExperimentData data = cris::open_data(config);
      judge("data", data.hash == manifest.value("data_sha256", ""),
            config.data.dir + " is not what the run was trained on");
      judge("split", data::split_hash(data.split) == manifest.value("split_sha256", ""),
            "the split made now is another");
    } catch (const data::FormatError& e) {
      judge("data", false, e.what());
    }
    fmt::print("{} checked, {} failed\n", good + bad, bad);
    return int(bad ? kVerification : kOk);
  };
}

const Command verify(90, "verify", "re-check the hashes of a run, its split and its data", setup);

}  // namespace

}  // namespace tools
