#include "cris/run/timing.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "cris/metrics.h"
#include "data/files.h"
#include "tensor/machine/atomic_file.h"

namespace cris {

Timing read_timing(const std::string& run) {
  Timing t;
  std::error_code none;
  const std::string file = run + "/timing.jsonl";
  if (!std::filesystem::is_regular_file(file, none)) return t;
  std::vector<double> network;
  for (const std::string& line : data::lines_of(tensor::read_file(file))) {
    const auto epoch = nlohmann::json::parse(line, nullptr, false);
    const auto holds = [&](const char* key) { return epoch.contains(key) && epoch[key].is_number(); };
    if (!epoch.is_object() || !holds("seconds")) continue;
    ++t.epochs, t.seconds += epoch["seconds"].get<double>();
    if (holds("network_ms_an_image")) network.push_back(epoch["network_ms_an_image"].get<double>());
  }
  t.network_ms_an_image = median(network);
  return t;
}

}  // namespace cris
