/// cris verify: re-checks the hashes that a run keeps of its files, its split and its data.
#include <fmt/format.h>

#include <filesystem>
#include <sstream>

#include "cris/run/run_directory.h"
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
                    fmt::format("{}: is no complete run (it has no SHA256SUMS); finish it with cris train", o->run));
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
      try {
        judge(name, data::sha256(tensor::read_file(file)) == line.substr(0, 64), "was changed after the run");
      } catch (const tensor::Error& e) {
        judge(name, false, std::filesystem::exists(file) ? e.what() : "is missing");
      }
    }
    try {
      const auto manifest = nn::parse_json<nlohmann::json>(tensor::read_file(o->run + "/manifest.json"));
      const cris::Config config = cris::config_of_run(o->run, {.data = o->data});
      const cris::ExperimentData data = cris::open_data(config);
      judge("data", data.hash == manifest.at("data_sha256"), config.data.dir + " is not what the run was trained on");
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
