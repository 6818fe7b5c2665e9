#include "cris/report/examples.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "tensor/random.h"

namespace cris {

std::vector<Example> examples(std::vector<ImageScore> images, int64_t count) {
  std::ranges::stable_sort(images, {}, &ImageScore::dice);
  const auto n = int64_t(images.size());
  const int64_t shown = std::min(count, n), fifth = shown / 5;
  std::vector<bool> taken(images.size());
  std::vector<Example> list;
  const auto take = [&](const char* rank, int64_t i) {
    if (i < 0 || i >= n || taken[size_t(i)]) return;
    taken[size_t(i)] = true;
    list.push_back({images[size_t(i)].name, fmt::format("{:02}_{}_{}", list.size() + 1, rank, images[size_t(i)].name)});
  };
  for (int64_t i = 0; i < shown - 3 * fifth; ++i) take("worst", i);
  for (int64_t i = 0; i < fifth; ++i) take("median", n / 2 - fifth / 2 + i);
  for (int64_t i = 0; i < fifth; ++i) take("best", n - 1 - i);
  // The split's order is random already, but sorted by name here: another draw.
  std::vector<size_t> order(images.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return images[i].name; });
  const tensor::RandomKey key{.seed = 0, .stream = 0x5403, .step = 0};
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[tensor::uniform_below(key, i, uint32_t(i))]);
  for (const size_t i : order)
    if (int64_t(list.size()) < shown) take("random", int64_t(i));
  return list;
}

std::pair<std::string, std::string> shown_in(const std::string& file) {
  const std::string name = file.substr(file.find('_') + 1);
  for (const std::string rank : {"worst", "median", "best", "random"})
    if (name.starts_with(rank + "_")) return {name.substr(rank.size() + 1), rank};
  return {name, "worst"};
}

}  // namespace cris
