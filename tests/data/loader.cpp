/// The loader: what is in a batch, in which order, whatever the threads; and failures that reach the caller.
#include "data/loader.h"

#include <set>

#include "data/format_error.h"
#include "folders.h"

namespace {

constexpr tensor::Device kDevice = tensor::Device::reference;

std::shared_ptr<data::SampleStore> store_of(const Scratch& folder, int64_t cache_bytes = 1 << 30) {
  return std::make_shared<data::SampleStore>(data::open_dataset(folder.path).pairs, 16, 24, cache_bytes);
}

/// All numbers of an epoch from `step` on.
std::vector<double> epoch_of(data::Loader& loader, int64_t epoch, int64_t step = 0) {
  std::vector<double> all;
  loader.start(epoch, step);
  while (const auto batch = loader.next(kDevice))
    for (const tensor::Tensor& t : {batch->x, batch->mask}) {
      const auto values = t.to_vector();
      all.insert(all.end(), values.begin(), values.end());
    }
  return all;
}

const data::LoaderOptions kOptions{
    .batch = 4, .seed = 11, .augmentation = {.flip = true, .jitter = 1}, .threads = 1, .prefetch = 2};

}  // namespace

TEST_CASE("batches hold resized images in [0, 1], binary masks, and a short last one") {
  const Scratch folder;
  write_pairs(folder, 6);
  const auto store = store_of(folder);
  data::Loader loader(store, {.batch = 4, .shuffle = false});
  CHECK(loader.steps_per_epoch() == 2);
  loader.start(0);
  const auto first = loader.next(kDevice), second = loader.next(kDevice);
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  CHECK(!loader.next(kDevice).has_value());
  CHECK(first->x.shape() == tensor::Shape{4, 16, 24, 3});
  CHECK(first->mask.shape() == tensor::Shape{4, 16, 24, 1});
  CHECK(second->x.shape() == tensor::Shape{2, 16, 24, 3});
  CHECK(second->samples == std::vector<int64_t>{4, 5});
  CHECK(second->step == 1);
  const auto x = first->x.to_vector(), mask = first->mask.to_vector();
  const auto sample = store->get(1);
  CHECK(x[16 * 24 * 3 + 7] == float(sample->image.pixels[7]) / 255.0f);
  for (size_t i = 0; i < 16 * 24; ++i) CHECK(mask[16 * 24 + i] == (sample->mask.pixels[i] == 255 ? 1.0 : 0.0));
}

TEST_CASE("every epoch visits every sample once, in an order of its own") {
  const Scratch folder;
  write_pairs(folder, 9);
  data::Loader loader(store_of(folder), {.seed = 4});
  const auto zero = loader.order(0), one = loader.order(1);
  CHECK(std::set<int64_t>(zero.begin(), zero.end()).size() == 9);
  CHECK(zero != one);
  std::vector<int64_t> visited;
  loader.start(1);
  while (const auto batch = loader.next(kDevice))
    visited.insert(visited.end(), batch->samples.begin(), batch->samples.end());
  CHECK(visited == one);
}

TEST_CASE("an epoch is the same for 1 and 2 threads, with and without cache, and from run to run") {
  const Scratch folder;
  write_pairs(folder, 7);
  data::LoaderOptions two = kOptions;
  two.threads = 2;
  data::Loader a(store_of(folder), kOptions), b(store_of(folder), two), c(store_of(folder, 0), two);
  for (const int64_t epoch : {0, 3}) {
    CAPTURE(epoch);
    const auto expected = epoch_of(a, epoch);
    CHECK(expected.size() == 7 * 16 * 24 * 4);
    CHECK(epoch_of(b, epoch) == expected);
    CHECK(epoch_of(c, epoch) == expected);
    CHECK(epoch_of(a, epoch) == expected);
  }
  CHECK(epoch_of(a, 1) != epoch_of(a, 2));
}

TEST_CASE("an epoch that is entered in its middle goes on as the whole one does") {
  const Scratch folder;
  write_pairs(folder, 7);
  data::Loader loader(store_of(folder), kOptions);
  const auto whole = epoch_of(loader, 2);
  const auto rest = epoch_of(loader, 2, 1);
  REQUIRE(rest.size() == 3 * 16 * 24 * 4);
  CHECK(std::equal(rest.begin(), rest.end(), whole.end() - int64_t(rest.size())));
  CHECK(epoch_of(loader, 2, 2).empty());
}

TEST_CASE("a bad file reaches the caller at its batch, and again when asked again") {
  const Scratch folder;
  write_pairs(folder, 6);
  tensor::write_file_atomically(folder / "images/f.png", "no picture");
  data::Loader loader(store_of(folder), {.batch = 2, .shuffle = false});
  for (int round = 0; round < 2; ++round) {
    loader.start(0);
    CHECK(loader.next(kDevice).has_value());
    CHECK(loader.next(kDevice).has_value());
    for (int again = 0; again < 2; ++again)
      CHECK(contains(message_of<data::FormatError>([&] { loader.next(kDevice); }), "images/f.png"));
  }
}

TEST_CASE("a loader may be left or restarted at any time") {
  const Scratch folder;
  write_pairs(folder, 8);
  const auto store = store_of(folder);
  for (int i = 0; i < 5; ++i) {
    data::Loader loader(store, {.batch = 1, .prefetch = 1});
    loader.start(0);
    loader.start(1);
    CHECK(loader.next(kDevice)->epoch == 1);
  }
  data::Loader loader(store, {});
  CHECK_THROWS_AS(loader.next(kDevice), tensor::Error);
  CHECK_THROWS_AS(loader.start(0, 9), tensor::Error);
  CHECK_THROWS_AS(data::Loader(store, {.batch = 0}), tensor::Error);
}

TEST_CASE("names of a split select pairs in their order, an unknown name is refused") {
  const Scratch folder;
  write_pairs(folder, 4);
  const data::Dataset set = data::open_dataset(folder.path);
  const auto chosen = data::select(set, {"d", "b"});
  REQUIRE(chosen.size() == 2);
  CHECK(chosen[0].name == "d");
  CHECK(contains(message_of<data::FormatError>([&] { data::select(set, {"q"}); }), "\"q\""));
}

TEST_CASE("a picture that is decoded anew and was replaced meanwhile is refused by its name") {
  const Scratch folder;
  write_pairs(folder, 2);
  const auto store = store_of(folder, 0);
  const auto before = store->get(1);
  CHECK(store->get(1)->image == before->image);
  data::write_png(folder / "masks/b.png", rectangle(13, 17, 1, 1, 4, 4));
  CHECK(contains(message_of<data::FormatError>([&] { store->get(1); }), "images/b.png or its mask changed"));
  CHECK(store->get(0)->image.width == 24);
}
