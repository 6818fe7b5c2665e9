#include "cris/report/examples.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tensor/random.h"

namespace cris {

namespace {

constexpr std::array kRanks = {"worst", "median", "best", "random"};

/// Where the name begins: behind the number, and behind the rank if there is one.
size_t name_at(const std::string& file) {
  const size_t number = file.find('_') + 1;
  for (const char* rank : kRanks)
    if (file.compare(number, std::string(rank).size() + 1, std::string(rank) + "_") == 0)
      return number + std::string(rank).size() + 1;
  return number;
}

}  // namespace

std::vector<Example> examples(std::vector<ImageScore> images, int64_t count) {
  std::stable_sort(images.begin(), images.end(),
                   [](const ImageScore& a, const ImageScore& b) { return a.dice < b.dice; });
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
  std::vector<size_t> order;
  for (size_t i = 0; i < images.size(); ++i) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return images[a].name < images[b].name; });
  const tensor::RandomKey key{.seed = 0, .stream = 0x5403, .step = 0};
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[tensor::uniform_below(key, i, uint32_t(i))]);
  for (const size_t i : order)
    if (int64_t(list.size()) < shown) take("random", int64_t(i));
  return list;
}

std::string shown_rank(const std::string& file) {
  const size_t number = file.find('_') + 1, name = name_at(file);
  return name == number ? kRanks[0] : file.substr(number, name - number - 1);
}

std::string shown_name(const std::string& file) { return file.substr(name_at(file)); }

}  // namespace cris
