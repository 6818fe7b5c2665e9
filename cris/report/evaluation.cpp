/// Evaluation of a run and its files.
#include "cris/report/evaluation.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "cris/evaluate.h"
#include "cris/nonfinite.h"
#include "cris/report/baselines.h"
#include "cris/report/crf_filmstrip.h"
#include "cris/report/examples.h"
#include "cris/report/finished_run.h"
#include "cris/report/overlay.h"
#include "cris/report/score_page.h"
#include "cris/report/svg_chart.h"
#include "cris/run/csv.h"
#include "cris/run/outputs.h"
#include "data/files.h"
#include "data/format_error.h"
#include "data/map.h"
#include "nn/checkpoint.h"
#include "nn/json_text.h"
#include "tensor/machine/atomic_file.h"

namespace cris {

namespace {

/// What summaries show.
constexpr struct {
  const char *key, *title;
  double MeanScores::*value;
} kSummary[] = {{"dice", "Dice, mean over images", &MeanScores::dice},
                {"dice_pooled", "Dice, pooled pixels", &MeanScores::dice_pooled},
                {"precision", "precision, mean over images", &MeanScores::precision},
                {"precision_pooled", "precision, pooled pixels", &MeanScores::precision_pooled},
                {"recall", "recall, mean over images", &MeanScores::recall},
                {"recall_pooled", "recall, pooled pixels", &MeanScores::recall_pooled},
                {"mse", "MSE of probabilities", &MeanScores::mse},
                {"mse_thresholded", "MSE of thresholded masks", &MeanScores::mse_thresholded}};

constexpr int64_t kShown = 3;  // images that every run of a split shows: the first ones, good or bad

Chart threshold_chart(const Scores& training, const Scores& part, const std::string& name, double chosen) {
  Chart chart = unit_chart("Dice by threshold", "threshold", "mean Dice, %");
  for (const auto& [label, scores] : {std::pair{std::string("train"), &training}, {name, &part}}) {
    if (scores->images() == 0) continue;
    chart.series.push_back({.name = label});
    for (const CurvePoint& p : scores->curve(false)) chart.series.back().points.emplace_back(p.threshold, p.dice);
  }
  chart.series.push_back(
      {.name = fmt::format("chosen {:.2f}", chosen), .points = {{chosen, 0}, {chosen, 1}}, .dashed = true});
  return chart;
}

Chart training_chart(const std::string& path) {
  Chart chart{.title = "Training",
              .x_label = "epoch",
              .y_label = "",
              .series = {{.name = "validation Dice"}, {.name = "validation MSE"}}};
  const Rows rows = read_csv(path);
  chart.series[0].points = points_of(rows, 0, 10, path), chart.series[1].points = points_of(rows, 0, 7, path);
  for (Series& s : training_losses(rows, path)) {
    s.name = "training " + s.name;
    chart.series.push_back(std::move(s));
  }
  return chart;
}

std::string curves_csv(const Scores& scores) {
  std::string csv = "threshold,precision_pooled,recall_pooled,dice_pooled,precision,recall,dice\n";
  const auto pooled = scores.curve(true), mean = scores.curve(false);
  for (size_t k = 0; k < pooled.size(); ++k)
    csv += fmt::format("{},{},{},{},{},{},{}\n", pooled[k].threshold, pooled[k].precision, pooled[k].recall,
                       pooled[k].dice, mean[k].precision, mean[k].recall, mean[k].dice);
  return csv;
}

nlohmann::ordered_json crf_json(const Crf& crf) {
  nlohmann::ordered_json json = {{"iterations", crf.options.evaluation_iterations}};
  for (const auto& [key, weight] : {std::pair{"spatial_weight", &crf.spatial_weight},
                                    {"bilateral_weight", &crf.bilateral_weight},
                                    {"compatibility", &crf.compatibility}}) {
    const std::vector<double> values = weight->value().to_vector();
    const auto labels = size_t(crf.options.labels);
    for (size_t l = 0; l < labels; ++l)
      json[key].push_back(std::vector<double>(values.begin() + l * labels, values.begin() + (l + 1) * labels));
  }
  return json;
}

}  // namespace

std::unique_ptr<Model> load_model(const std::string& run, const Config& config, const std::string& checkpoint) {
  const std::string path = fmt::format("{}/checkpoints/{}.safetensors", run, checkpoint);
  ModelOptions options = model_options(config);
  options.crf.cache_bytes = 0;  // each image is seen once
  auto model = std::make_unique<Model>(options);
  model->to(config.run.device);
  nn::load_checkpoint(path, *model);
  if (const std::string name = non_finite_parameter(*model); !name.empty())
    throw NonFiniteError(fmt::format("{}: the weights {} are not finite; use another checkpoint", path, name));
  model->train(false);
  return model;
}

double chosen_threshold(const std::string& run) {
  const std::string file = run + "/evaluation.json";
  if (!std::filesystem::exists(file)) return 0.5;
  try {
    const auto json = nn::parse_json<nlohmann::json>(tensor::read_file(file));
    const double threshold = json.at("chosen_on_training_set").at("threshold");
    if (threshold >= 0 && threshold <= 1) return threshold;
  } catch (const std::exception&) {
  }
  throw data::FormatError(
      fmt::format("{} is damaged; give --threshold, or train the run again into a new folder", file));
}

nlohmann::ordered_json summary_json(const MeanScores& s) {
  nlohmann::ordered_json json;
  for (const auto& row : kSummary) json[row.key] = s.*row.value;
  json["threshold"] = s.threshold, json["images"] = s.images;
  return json;
}

Evaluation evaluate_run(Model& model, const Config& config, const ExperimentData& data, const std::string& part,
                        const std::string& folder, const EvaluationOptions& options) {
  namespace fs = std::filesystem;
  // What stops it, a full disk say, leaves the evaluation before as it was. A run's own counts once it is sealed.
  const bool of_run = fs::exists(folder + "/config.resolved.toml");
  data::StagingFolder staging(folder,
                              of_run ? data::StagingFolder::Publish::one_by_one : data::StagingFolder::Publish::whole);
  for (const char* sub : {"/plots", "/overlays", "/maps"}) data::create_folder(staging.path() + sub);
  const auto store = part == "all" ? data.test : part_of(data, part);
  const tensor::Device device = config.run.device;
  const bool given = options.threshold.has_value();
  const auto told = [&](const char* what, const data::SampleStore& images) {
    return [&progress = options.progress, what, all = images.size(), done = int64_t(0)]() mutable {
      if (progress) progress->count(what, ++done, all);
    };
  };
  Scores training;
  if (!given)
    training = evaluate(model, data.training, device, config.train.batch, {}, config.eval.size,
                        [tell = told("choosing the threshold", *data.training)](const ScoredMap&) mutable { tell(); });
  const double threshold = given ? *options.threshold : training.best_threshold();
  Evaluation e{.part = part, .measures = MeasureSet(threshold)};
  // Kept for the overlays: two bytes a pixel. A map of 8 bits would not tell on which side of the threshold it lies.
  struct Shown {
    int64_t sample;
    data::Image map, prediction;
  };
  std::map<std::string, Shown> maps;
  const int64_t size = config.data.size;
  const auto keep_map = [&](int64_t sample, const float* p, const float*) {
    maps[store->pair(sample).name] = {sample, probability_image(p, size, size), mask_image(p, size, size, threshold)};
  };
  if (!options.maps.empty()) data::create_folder(options.maps);
  auto tell = told("scoring", *store);
  e.scores = evaluate(model, store, device, config.train.batch, keep_map, config.eval.size, [&](const ScoredMap& m) {
    e.measures.add(m.name, m.probability, m.mask, m.height, m.width);
    tell();
    if (options.maps.empty()) return;
    data::write_npy(fmt::format("{}/{}.npy", options.maps, m.name), m.probability, m.height, m.width);
    data::write_npy(fmt::format("{}/{}_mask.npy", options.maps, m.name), m.mask, m.height, m.width);
  });
  if (options.progress) options.progress->end();
  e.size = config.eval.size;
  e.chosen = e.scores.summary(threshold), e.half = e.scores.summary(0.5), e.pranet_dice = e.scores.pranet_mean_dice();

  const auto write = [&](const std::string& name, const std::string& text) {
    tensor::write_file_atomically(staging.path() + "/" + name, text);
  };
  nlohmann::ordered_json json = {{"part", part},
                                 {"score_size", name(config.eval.size)},
                                 {"chosen_on_training_set", summary_json(e.chosen)},
                                 {"at_half", summary_json(e.half)},
                                 {"measures", e.measures.json()},
                                 {"pranet_mean_dice", e.pranet_dice},
                                 {"parameters", model.parameter_count()},
                                 {"polyps_below_a_pixel", store->specks()}};
  json["baselines"] = baselines(given ? nullptr : data.training.get(), *store, config.eval.size);
  if (!given) json["training_set"] = summary_json(training.summary(threshold));
  if (model.crf) {
    json["crf"] = crf_json(*model.crf);
    data::create_folder(staging.path() + "/film");
  }
  for (int64_t i = 0; i < std::min(kShown, store->size()); ++i) {
    const auto pair = store->get(i);
    const std::string& name = store->pair(i).name;
    const auto keep = [&](const char* what, const data::Image& picture) {
      data::write_png(fmt::format("{}/maps/{:02}_{}_{}.png", staging.path(), i + 1, name, what), picture);
    };
    keep("image", pair->image), keep("mask", pair->mask), keep("probability", maps.at(name).map);
    if (model.crf)
      data::write_png(fmt::format("{}/film/{:02}_{}.png", staging.path(), i + 1, name),
                      film_strip(model, device, pair->image, pair->mask, threshold));
  }

  write("per_image.csv", e.measures.csv());
  write("curves.csv", curves_csv(e.scores));
  write("precision_recall.csv", precision_recall_csv(e.measures));
  Points means;  // at even steps of recall
  std::string means_csv = "recall,precision\n";
  for (const double precision : e.measures.mean_precision()) {
    means.emplace_back(double(means.size() + 1) / 100, precision);
    means_csv += fmt::format("{},{}\n", means.back().first, precision);
  }
  write("precision_recall_images.csv", means_csv);
  const auto& measures = json["measures"];
  for (const auto& [file, title, points, values] :
       {std::tuple{"pooled", "pooled pixels", pooled_points(e.measures), measures["pooled"]},
        {"images", "mean over images", means, measures["mean"]}})
    write(fmt::format("plots/pr_{}.svg", file),
          to_svg(precision_recall_chart(fmt::format("Precision and recall, {} ({})", part, title), points, values)));
  write("plots/threshold.svg", to_svg(threshold_chart(training, e.scores, part, threshold)));
  if (fs::exists(folder + "/epochs.csv")) write("plots/training.svg", to_svg(training_chart(folder + "/epochs.csv")));

  for (const Example& x : examples(e.scores.per_image(threshold), options.overlays)) {
    const auto& [sample, map, prediction] = maps.at(x.name);
    const auto pair = store->get(sample);
    data::write_png(fmt::format("{}/overlays/{}.png", staging.path(), x.file),
                    beside({pair->image, pair->mask, map, overlay(pair->image, prediction, pair->mask)}));
  }
  write("evaluation.json", json.dump(2) + "\n");
  // Other images may have been the worst before.
  staging.publish([&](const std::string& name) {
    return (name.starts_with("overlays/") || name.starts_with("maps/") || name.starts_with("film/")) &&
           made_by_cris(folder + "/" + name);
  });
  return e;
}

std::string summary_table(const Evaluation& e) {
  std::string text = fmt::format(
      "{} set, {} images{}\n{:<34}{:>10.2f}{:>10.2f}\n", e.part == "all" ? "the whole" : e.part, e.chosen.images,
      e.size == ScoreSize::picture ? ", each at its own size" : "", "threshold", e.chosen.threshold, 0.5);
  for (const auto& row : kSummary)
    text += fmt::format("{:<34}{:>10.4f}{:>10.4f}\n", row.title, e.chosen.*row.value, e.half.*row.value);
  return text + fmt::format("{:<34}{:>10.4f}\n(mean of 256 thresholds, as PraNet's program takes it)\n",
                            "Dice of maps stretched to 0..1", e.pranet_dice);
}

}  // namespace cris
