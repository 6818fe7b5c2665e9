/// cris crf: dense CRF post-processing of label maps and probability maps, one picture or whole folders.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "cris/dense_crf.h"
#include "cris/measures/findings.h"
#include "cris/report/overlay.h"
#include "cris/run/outputs.h"
#include "cris/run/progress.h"
#include "data/files.h"
#include "data/format_error.h"
#include "data/image_format.h"
#include "data/map.h"
#include "tensor/backend.h"
#include "tensor/machine/allocator.h"
#include "tensor/machine/threads.h"
#include "tools/commands/command.h"
#include "tools/commands/interrupt.h"
#include "tools/commands/many_pictures.h"

namespace tools {
namespace {

namespace fs = std::filesystem;

struct CrfArguments {
  std::string image, labels, output, probability_output, findings;
  std::vector<std::string> probability;
  bool black_is_label = false, skip_bad = false;
  int threads = 0;
  cris::DenseCrfOptions options;
};

/// Colour of label l where none is given: bits of l spread over r, g, b from the highest down, so that low labels
/// differ most.
uint32_t colour_of(uint32_t l) {
  uint32_t rgb = 0;
  for (int bit = 7; l != 0; --bit, l >>= 3)
    for (int c = 0; c < 3; ++c) rgb |= ((l >> c) & 1) << (bit + 8 * c);
  return rgb;
}

/// An image and what is known of its labels: a label map, or probability maps.
struct Input {
  data::Image image;
  cris::LabelMap map;
  std::vector<data::Image> maps;
};

void require_memory(const std::string& name, int64_t pixels, int64_t labels) {
  const int64_t bytes = cris::dense_crf_bytes(pixels, labels), limit = tensor::memory_limit(tensor::Device::cpu);
  if (bytes > limit)
    throw Failure(kUsage,
                  "{}: {} pixels and {} labels need about {} of memory, and there are {}; make the "
                  "picture smaller, or use fewer labels",
                  name, pixels, labels, cris::bytes_text(bytes), cris::bytes_text(limit));
}

Input read_input(const CrfArguments& a, const std::string& image, const std::vector<std::string>& known) {
  Input y{data::read_image(image), {}, {}};
  const auto require_size = [&](const std::string& path, int64_t height, int64_t width) {
    data::require_data(height == y.image.height && width == y.image.width,
                       "{} is {} x {} but its image {} is {} x {} (width x height); they must be of one size", path,
                       width, height, image, y.image.width, y.image.height);
  };
  if (!a.labels.empty()) {
    const std::string bytes = data::read_data_file(known[0]);
    y.map = cris::label_map(data::decode_image(bytes, known[0]), known[0], a.black_is_label,
                            data::image_format(bytes, known[0]) == data::ImageFormat::jpeg);
    require_size(known[0], y.map.height, y.map.width);
    require_memory(image, y.image.height * y.image.width, int64_t(y.map.colours.size()));
    return y;
  }
  for (const std::string& path : known) {
    y.maps.push_back(data::read_probability(path));
    const int brightest = *std::ranges::max_element(y.maps.back().pixels);
    data::require_data(brightest != 1,
                       "{}: its values are 0 and 1 of 255: as probabilities that means nothing; a mask of 0 and 1 is "
                       "given by --labels",
                       path);
    require_size(path, y.maps.back().height, y.maps.back().width);
  }
  require_memory(image, y.image.height * y.image.width, std::max<int64_t>(2, int64_t(y.maps.size())));
  return y;
}

/// The pictures of one image for `output` and, unless empty, `probability_output`. Of one probability map, what the
/// mask shows too.
struct Refined {
  data::Pictures pictures;
  cris::Findings findings = {};
};
Refined refine(const CrfArguments& a, Input input, const std::string& image_path, const std::string& output,
               const std::string& probability_output) {
  auto& [image, map, maps] = input;
  if (!a.labels.empty()) {
    if (map.colours.size() == 1)
      std::fill(map.labels.begin(), map.labels.end(), 0);  // every pixel has the only label, whatever the image
    else
      map.labels =
          cris::likeliest(cris::dense_crf(cris::log_probability(map, a.options), image, image_path, a.options));
    return {{{output, cris::picture_of(map)}}};
  }
  const auto begin = std::chrono::steady_clock::now();
  const tensor::Tensor refined = cris::dense_crf(cris::log_probability(maps), image, image_path, a.options);
  const std::vector<int32_t> label = cris::likeliest(refined);
  if (maps.size() > 1) {
    map = {.height = image.height, .width = image.width, .colours = {}, .labels = label};
    for (uint32_t l = 0; l < maps.size(); ++l) map.colours.push_back(colour_of(l));
    return {{{output, cris::picture_of(map)}}};
  }
  const double milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  data::Image mask(image.height, image.width, 1);
  std::vector<float> foreground(label.size());
  for (size_t i = 0; i < label.size(); ++i) {
    mask.pixels[i] = label[i] ? 255 : 0;
    foreground[i] = refined.data<float>()[2 * i + 1];
  }
  Refined y{{{output, mask}}, cris::find_regions(mask, foreground.data())};
  y.findings.name = data::base_name(fs::path(image_path).filename().string()), y.findings.file = image_path;
  y.findings.milliseconds = milliseconds;
  if (!probability_output.empty())
    y.pictures.emplace_back(probability_output, cris::probability_image(foreground.data(), image.height, image.width));
  return y;
}

int process_folder(const CrfArguments& a) {
  std::vector<std::map<std::string, std::string>> given;
  const auto folders_of_maps = a.labels.empty() ? a.probability : std::vector<std::string>{a.labels};
  for (const std::string& folder : folders_of_maps) {
    data::require_data(fs::is_directory(folder), "{}: must be a folder, as {} is", folder, a.image);
    given.push_back(data::files_by_name(folder));
  }
  const auto images = data::files_by_name(a.image);
  data::require_data(!images.empty(), "{}: no pictures in this folder", a.image);
  struct Item {
    std::string name, image;
    std::vector<std::string> known;
  };
  std::vector<Item> all;
  for (const auto& [name, path] : images) {
    all.push_back({name, path, {}});
    for (size_t k = 0; k < given.size(); ++k) {
      // With --skip-bad a map that is not there is a file that cannot be read.
      const auto at = given[k].find(name);
      const std::string missing = (fs::path(folders_of_maps[k]) / name).string();
      data::require_data(at != given[k].end() || a.skip_bad, "{}: there is no map of that name in {}", path,
                         folders_of_maps[k]);
      all.back().known.push_back(at == given[k].end() ? missing : at->second);
    }
  }
  std::vector<std::string> folders{a.output}, outputs, read;
  if (!a.probability_output.empty()) folders.push_back(a.probability_output);
  const auto in = [](const std::string& folder, const std::string& name) {
    return folder.empty() ? "" : (fs::path(folder) / (name + ".png")).string();
  };
  for (const Item& item : all) {
    for (const std::string& folder : folders) outputs.push_back(in(folder, item.name));
    read.push_back(item.image);
    read.insert(read.end(), item.known.begin(), item.known.end());
  }
  if (!a.findings.empty()) {
    folders.push_back(a.findings);
    for (const std::string& path : cris::FindingsFiles::paths(a.findings)) outputs.push_back(path);
  }
  cris::check_outputs(outputs, read);
  cris::ConsoleProgress progress(stderr);
  const ManyPictures work{
      .what = "refining", .out = a.output, .count = int64_t(all.size()), .skip_bad = a.skip_bad, .progress = &progress};
  std::vector<Input> inputs(size_t(work.ahead));
  std::vector<Refined> results(size_t(work.ahead));
  std::vector<std::vector<std::pair<std::string, std::string>>> files(size_t(work.ahead));
  const auto slot = [&](int64_t i) { return size_t(i % work.ahead); };
  data::Pipeline steps;
  steps.read = [&](int64_t i) { inputs[slot(i)] = read_input(a, all[size_t(i)].image, all[size_t(i)].known); };
  steps.compute = [&](int64_t i) {
    const Item& item = all[size_t(i)];
    results[slot(i)] =
        refine(a, std::move(inputs[slot(i)]), item.image, in(a.output, item.name), in(a.probability_output, item.name));
  };
  steps.encode = [&](int64_t i) {
    files[slot(i)].clear();
    for (const auto& [path, picture] : results[slot(i)].pictures)
      files[slot(i)].emplace_back(path, data::encode_png(picture));
  };
  std::set<std::string> locked;  // each once, however it is spelled
  for (const std::string& folder : folders)
    locked.insert((fs::weakly_canonical(fs::absolute(folder)) / "").parent_path());
  const std::list<tensor::FolderLock> locks = lock_all({locked.begin(), locked.end()});
  std::optional<cris::FindingsFiles> findings;
  if (!a.findings.empty()) findings.emplace(a.findings, "cris crf", 0.5);
  steps.write = [&](int64_t i) {
    data::write_together(files[slot(i)]);
    if (findings) findings->add(results[slot(i)].findings);
  };
  const PicturesDone done = through_pictures(work, steps);
  if (findings) findings->commit();
  fmt::print("{} picture{} -> {}\n", done.written, done.written == 1 ? "" : "s", a.output);
  if (findings) fmt::print("areas, boxes, times: {}/findings.csv\n", a.findings);
  return done.exit_code(work);
}

int run(const CrfArguments& a) {
  if (a.labels.empty() == a.probability.empty()) throw Failure(kUsage, "crf: give either --labels or --probability");
  if (!a.probability_output.empty() && a.probability.size() != 1)
    throw Failure(kUsage, "crf: --probability-output needs one --probability map");
  if (!a.findings.empty() && (a.probability.size() != 1 || !fs::is_directory(a.image)))
    throw Failure(kUsage, "crf: --findings needs a folder of images and one --probability folder");
  try {
    cris::check_options(a.options);
  } catch (const tensor::Error& e) {
    throw Failure(kUsage, "{}", e.what());
  }
  if (a.threads > 0) tensor::set_threads(a.threads);
  outlive_reader();
  if (fs::is_directory(a.image)) return process_folder(a);
  const bool into_folder = fs::is_directory(a.output);
  const std::string name = data::base_name(fs::path(a.image).filename().string()) + ".png";
  const std::string output = into_folder ? (fs::path(a.output) / name).string() : a.output;
  const auto known = a.labels.empty() ? a.probability : std::vector<std::string>{a.labels};
  std::vector<std::string> outputs{output}, read{a.image};
  if (!a.probability_output.empty()) outputs.push_back(a.probability_output);
  read.insert(read.end(), known.begin(), known.end());
  for (const std::string& path : outputs)
    if (const std::string end = fs::path(path).extension(); !end.empty() && end != ".png" && end != ".PNG")
      throw Failure(kUsage, "{}: the result is a PNG; name it so that it ends in .png", path);
  cris::check_outputs(outputs, read);
  data::write_pngs(refine(a, read_input(a, a.image, known), a.image, output, a.probability_output).pictures);
  return kOk;
}

Run setup_crf(CLI::App& app) {
  auto a = std::make_shared<CrfArguments>();
  cris::DenseCrfOptions& o = a->options;
  app.add_option("IMAGE", a->image, "image, or a folder of images")->required();
  app.add_option("--labels", a->labels,
                 "label map, one colour a label, black = unsure, or a mask (or a folder, the same base names)")
      ->type_name("FILE");
  app.add_option("--probability", a->probability,
                 "8-bit probability map of the foreground, or one a label (or folders)")
      ->type_name("FILE");
  app.add_option("-o,--out,--output", a->output, "PNG to write (or a folder)")->type_name("FILE")->required();
  app.add_option("--probability-output", a->probability_output,
                 "refined probability of the foreground as PNG (or a folder)")
      ->type_name("FILE");
  app.add_option("--findings", a->findings, "folder for findings.csv and findings.json, as predict writes them")
      ->type_name("DIR");
  app.add_flag("--black-is-label", a->black_is_label,
               "black is a label of its own, not \"unsure\"; in a map of one colour on black it always is");
  add_skip_bad(app, a->skip_bad);
  app.add_option("--gt-prob", o.ground_truth_probability, "certainty of a given label, between 0 and 1");
  app.add_option("--gaussian-sxy", o.spatial_theta, "spatial kernel: standard deviation in pixels");
  app.add_option("--gaussian-compat", o.spatial_weight, "spatial kernel: weight");
  app.add_option("--sxy", o.bilateral_theta, "bilateral kernel: standard deviation in pixels");
  app.add_option("--srgb", o.colour_theta, "bilateral kernel: standard deviation in colours of 0..255");
  app.add_option("--compat", o.bilateral_weight, "bilateral kernel: weight");
  app.add_option("--iterations", o.iterations, "mean-field iterations, 1 to 1000");
  add_choice(app, "--normalisation", o.normalisation, "of the filtered sums");
  add_choice(app, "--kernel", o.kind, "how sums are computed; exact is slow, for small images")
      ->check([](const std::string& text) { return text == "bridged" ? tensor::kBridgedIsGone : ""; });
  app.add_option("--threads", a->threads, "threads; 0: all. The result does not depend on it")
      ->check(CLI::Range(0, 1024));
  add_example(app, "crf frame.png --labels mask.png -o sharper.png");
  add_example(app, "crf frames --probability out/probability -o sharper --findings sharper");
  return [a] { return run(*a); };
}

const Command crf_command(55, "crf", "sharpen a label map or probability map along an image's edges (dense CRF)",
                          setup_crf);

}  // namespace
}  // namespace tools
