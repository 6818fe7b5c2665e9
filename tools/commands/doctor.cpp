/// cris doctor: what this program was built with, what this machine offers, and whether each device works.
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cris/run/progress.h"
#include "cris/run/run_directory.h"
#include "tensor/cpu_kernels.h"
#include "tensor/machine/threads.h"
#include "tensor/ops.h"
#include "tools/commands/command.h"

namespace tools {

namespace {

/// 3 x 3 ones through a product on `device`: 3 everywhere. An error's text, or "works".
std::string try_device(tensor::Device device) {
  try {
    const auto ones = tensor::full({3, 3}, 1, tensor::DType::f32, device);
    const auto values = tensor::matmul(ones, ones).to_vector();
    for (const double v : values)
      if (v != 3) return fmt::format("gives {} where 3 is right: do not use it", v);
    return "works";
  } catch (const std::exception& e) {
    return e.what();
  }
}

/// What the backend knows of its device; nothing where the build lacks it.
std::vector<std::pair<std::string, std::string>> facts_of(tensor::Device device) {
  try {
    return tensor::backend(device).facts();
  } catch (const tensor::Error&) {
    return {};
  }
}

Run setup_doctor(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "print JSON, not a table");
  add_example(app, "doctor");
  return [json] {
    nlohmann::ordered_json facts = cris::environment();
    facts["levels"] = fmt::format("{}", fmt::join(tensor::cpu_levels(), ", "));
    facts["threads"] = tensor::threads();
    facts["memory"] = cris::bytes_text(int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE));
    struct statvfs disk;
    if (statvfs(".", &disk) == 0)
      facts["disk"] = cris::bytes_text(int64_t(disk.f_bavail) * int64_t(disk.f_frsize)) + " free here";
    bool good = true;
    nlohmann::ordered_json devices;
    for (const tensor::Device d : {tensor::Device::reference, tensor::Device::cpu, tensor::Device::cuda}) {
      const std::string state = try_device(d);
      devices[tensor::name(d)] = {{"state", state}};
      for (const auto& [key, value] : facts_of(d)) devices[tensor::name(d)][key] = value;
      good = good && (state == "works" || d == tensor::Device::cuda);
    }
    if (*json) {
      facts["devices"] = devices, facts["good"] = good;
      fmt::print("{}\n", facts.dump());
      return int(good ? kOk : kVerification);
    }
    const auto row = [](const std::string& key, const nlohmann::ordered_json& value) {
      fmt::print("{:<12} {}\n", key, wrapped(value.is_string() ? value.get<std::string>() : value.dump(), 13));
    };
    for (const auto& [key, value] : facts.items()) row(key, value);
    for (const auto& [device, known] : devices.items())
      for (const auto& [key, value] : known.items()) key == "state" ? row(device, value) : row("  " + key, value);
    return int(good ? kOk : kVerification);
  };
}

const Command doctor(95, "doctor", "what was built, what this machine has, which devices work", setup_doctor);

}  // namespace

}  // namespace tools
