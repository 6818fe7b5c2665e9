#include "cris/report/baselines.h"

namespace cris {

namespace {

std::vector<float> mask_of(data::SampleStore& store, int64_t i) {
  const auto sample = store.get(i);
  std::vector<float> mask;
  for (const uint8_t v : sample->mask.pixels) mask.push_back(v >= data::kMaskThreshold ? 1 : 0);
  return mask;
}

Scores scores_of(data::SampleStore& store, const std::vector<float>& map, ScoreSize size) {
  Scores scores;
  const auto add = [&](const ScoredMap& m) { scores.add(m.name, m.probability, m.mask, m.height * m.width); };
  for (int64_t i = 0; i < store.size(); ++i)
    if (size == ScoreSize::picture)
      at_own_size(store.pair(i), map.data(), store.height(), store.width(), add);
    else
      add({store.pair(i).name, map.data(), mask_of(store, i).data(), store.height(), store.width()});
  return scores;
}

nlohmann::ordered_json summary(const Scores& scores, double threshold) {
  std::vector<double> dice;
  for (const ImageScore& i : scores.per_image(threshold)) dice.push_back(i.dice);
  return {{"dice", scores.summary(threshold).dice}, {"threshold", threshold}, {"dice_of_images", dice}};
}

}  // namespace

nlohmann::ordered_json baselines(data::SampleStore* training, data::SampleStore& part, ScoreSize size) {
  const auto pixels = size_t(part.height() * part.width());
  nlohmann::ordered_json json = {{"every_pixel", summary(scores_of(part, std::vector<float>(pixels, 1), size), 0.5)},
                                 {"nothing", summary(scores_of(part, std::vector<float>(pixels, 0), size), 0.5)}};
  if (!training) return json;
  std::vector<double> sum(pixels);
  for (int64_t i = 0; i < training->size(); ++i) {
    const std::vector<float> mask = mask_of(*training, i);
    for (size_t k = 0; k < pixels; ++k) sum[k] += double(mask[k]);
  }
  std::vector<float> mean(pixels);
  for (size_t k = 0; k < pixels; ++k) mean[k] = float(sum[k] / double(training->size()));
  json["mean_mask"] = summary(scores_of(part, mean, size), scores_of(*training, mean, size).best_threshold());
  return json;
}

}  // namespace cris
