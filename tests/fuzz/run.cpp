/// A finished run of which one file is fuzzed: pages and tables take what they need, or the file is refused. The first
/// byte chooses the file.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "cris/report/finished_run.h"
#include "data/format_error.h"

namespace {

const std::pair<const char*, std::string> kFiles[] = {
    {"evaluation.json",
     R"({"chosen_on_training_set":{"dice":0.5},"at_half":{"dice":0.5},"pranet_mean_dice":0.5,"parameters":9,)"
     R"("crf":{"iterations":5,"spatial_weight":[[3]],"bilateral_weight":[[4]],"compatibility":[[0,1],[1,0]]}})"},
    {"manifest.json", R"({"data":"d","data_sha256":"0","split_sha256":"0","split_protocol":"p","images":{"test":1}})"},
    {"epochs.csv", "epoch,loss_name,training_loss\n1,bce,0.5\n"},
    {"per_image.csv", "name,dice\n\"a,b\",0.25\n"},
    {"metrics.jsonl", "{\"epoch\":1,\"refiner_response\":[0.1,0.5,0.9]}\n"},
    {"config.resolved.toml", "[train]\nepochs = 2\n"},
    {"curves.csv", "threshold,precision_pooled,recall_pooled,dice_pooled,precision,recall,dice\n0.5,1,1,1,1,1,1\n"},
    {"SHA256SUMS", ""}};

/// In memory, where the system has such a place.
struct Folder {
  char path[32] = "/dev/shm/cris-fuzz-XXXXXX";
  Folder() {
    if (!mkdtemp(path)) __builtin_trap();
    for (const auto& [name, text] : kFiles) write(name, text);
  }
  ~Folder() {
    for (const auto& [name, text] : kFiles) unlink((std::string(path) + "/" + name).c_str());
    rmdir(path);
  }
  void write(const char* name, std::string_view text) { std::ofstream(std::string(path) + "/" + name) << text; }
};

void read_all(const std::string& path) try {
  const cris::RunFiles run = cris::read_run(path);
  cris::points_of(run.curves, 2, 1, "curves.csv");
  cris::training_losses(run.epochs, "epochs.csv");
  cris::dice_of_images(run);
  cris::refiner_response(run);
} catch (const data::FormatError&) {
} catch (const cris::ConfigError&) {
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static Folder folder;
  if (size == 0) return 0;
  const auto& [name, text] = kFiles[bytes[0] % std::size(kFiles)];
  folder.write(name, {reinterpret_cast<const char*>(bytes + 1), size - 1});
  read_all(folder.path);
  folder.write(name, text);
  return 0;
}
