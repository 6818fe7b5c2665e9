/// The store's cache, and the producer thread with its bounded queue.
#include "data/loader.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string_view>
#include <system_error>

#include "data/format_error.h"
#include "data/parallel.h"
#include "data/random_streams.h"

namespace data {

SampleStore::SampleStore(std::vector<Pair> pairs, int64_t height, int64_t width, int64_t cache_bytes)
    : pairs_(std::move(pairs)), height_(height), width_(width), cache_bytes_(cache_bytes), samples_(pairs_.size()) {
  tensor::check(height > 0 && width > 0, "sample store: size {} x {} (height x width)", height, width);
}

std::shared_ptr<const Sample> SampleStore::get(int64_t i) {
  tensor::check(i >= 0 && i < size(), "sample store: sample {} of {}", i, size());
  {
    const std::lock_guard lock(mutex_);
    if (samples_[size_t(i)]) return samples_[size_t(i)];
  }
  // Two threads may decode the same pair at the same time: they get the same bytes, and one copy is kept.
  Remarks of_image, of_mask;
  bool speck = false;
  const auto sample =
      std::make_shared<const Sample>(resize(read_pair(pair(i), &of_image, &of_mask), height_, width_, &speck));
  size_t content = 0;
  for (const Image* image : {&sample->image, &sample->mask})
    content = 31 * content + std::hash<std::string_view>()(
                                 {reinterpret_cast<const char*>(image->pixels.data()), image->pixels.size()});
  const std::lock_guard lock(mutex_);
  require_data(seen_.emplace(i, content).first->second == content,
               "{} or its mask changed while it was in use; restore it and run the same command again", pair(i).image);
  if (speck) specks_.insert(i);
  for (const Remarks* said : {&of_image, &of_mask})
    for (const std::string& remark : *said) ++remarks_[remark];
  const int64_t bytes = 4 * height_ * width_;
  if (!samples_[size_t(i)] && used_bytes_ + bytes <= cache_bytes_) {
    samples_[size_t(i)] = sample;
    used_bytes_ += bytes;
  }
  return sample;
}

int64_t SampleStore::specks() const {
  const std::lock_guard lock(mutex_);
  return int64_t(specks_.size());
}

std::map<std::string, int64_t> SampleStore::remarks() {
  const std::lock_guard lock(mutex_);
  return remarks_;
}

std::vector<Pair> select(const Dataset& dataset, const std::vector<std::string>& names) {
  std::map<std::string_view, const Pair*> by_name;
  for (const Pair& p : dataset.pairs) by_name[p.name] = &p;
  std::vector<Pair> chosen;
  for (const std::string& name : names) {
    const auto found = by_name.find(name);
    require_data(found != by_name.end(),
                 "the split names \"{}\", which {} does not hold; was the split made for another data set?", name,
                 dataset.folder);
    chosen.push_back(*found->second);
  }
  return chosen;
}

Loader::Loader(std::shared_ptr<SampleStore> store, const LoaderOptions& options)
    : store_(std::move(store)), options_(options) {
  tensor::check(store_ != nullptr && store_->size() > 0, "loader: there are no samples");
  tensor::check(options.batch > 0, "loader: batch {} must be at least 1", options.batch);
  tensor::check(options.prefetch > 0, "loader: prefetch {} must be at least 1", options.prefetch);
}

Loader::~Loader() { stop(); }

int64_t Loader::steps_per_epoch() const { return (store_->size() + options_.batch - 1) / options_.batch; }

std::vector<int64_t> Loader::order(int64_t epoch) const {
  std::vector<int64_t> order(size_t(store_->size()));
  std::iota(order.begin(), order.end(), int64_t(0));
  if (options_.shuffle)
    tensor::shuffle(order, {.seed = options_.seed, .stream = kShuffleStream, .step = uint32_t(epoch)});
  return order;
}

void Loader::start(int64_t epoch, int64_t step) {
  tensor::check(epoch >= 0 && step >= 0 && step <= steps_per_epoch(), "loader: epoch {}, step {} of {}", epoch, step,
                steps_per_epoch());
  stop();
  epoch_ = epoch;
  next_step_ = step;
  order_ = order(epoch);
  try {
    producer_ = std::thread([this, epoch, step] { produce(epoch, step); });
  } catch (const std::system_error&) {
    // The system allows no more threads: next() makes its batches itself.
  }
}

std::optional<Batch> Loader::next(tensor::Device device) {
  if (next_step_ >= steps_per_epoch()) return std::nullopt;
  tensor::check(!order_.empty(), "loader: next() before start()");
  HostBatch host;
  if (!producer_.joinable()) {
    host = assemble(order_, epoch_, next_step_);
  } else {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty(); });
    // A failure stays in the queue: the producer is gone, and asking again gives the same answer.
    if (ready_.front().failure) std::rethrow_exception(ready_.front().failure);
    host = std::move(ready_.front());
    ready_.pop_front();
  }
  changed_.notify_all();
  ++next_step_;
  const auto count = int64_t(host.samples.size());
  const int64_t h = store_->height(), w = store_->width();
  return Batch{.x = tensor::Tensor::from(host.x, {count, h, w, 3}, device),
               .mask = tensor::Tensor::from(host.mask, {count, h, w, 1}, device),
               .samples = std::move(host.samples),
               .epoch = epoch_,
               .step = host.step};
}

Loader::HostBatch Loader::assemble(const std::vector<int64_t>& order, int64_t epoch, int64_t step) {
  const int64_t first = step * options_.batch, last = std::min(first + options_.batch, store_->size());
  const int64_t count = last - first, pixels = store_->height() * store_->width();
  HostBatch batch{.x = std::vector<float>(size_t(count * pixels * 3)),
                  .mask = std::vector<float>(size_t(count * pixels)),
                  .samples = {order.begin() + first, order.begin() + last},
                  .step = step,
                  .failure = nullptr};
  for_each_index(count, options_.threads, [&](int64_t n) {
    std::shared_ptr<const Sample> sample = store_->get(batch.samples[size_t(n)]);
    if (options_.augmentation.any()) {
      const tensor::RandomKey key{.seed = options_.seed, .stream = kAugmentStream, .step = uint32_t(epoch)};
      sample = std::make_shared<const Sample>(augment(*sample, options_.augmentation, key, uint64_t(first + n)));
    }
    to_unit(sample->image, &batch.x[size_t(n * pixels * 3)]);
    to_binary(sample->mask, &batch.mask[size_t(n * pixels)]);
  });
  return batch;
}

void Loader::produce(int64_t epoch, int64_t first_step) {
  for (int64_t step = first_step; step < steps_per_epoch(); ++step) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || int64_t(ready_.size()) < options_.prefetch; });
      if (stopping_) return;
    }
    HostBatch batch;
    try {
      batch = assemble(order_, epoch, step);
    } catch (...) {
      batch.failure = std::current_exception();
    }
    const bool failed = batch.failure != nullptr;
    {
      const std::lock_guard lock(mutex_);
      ready_.push_back(std::move(batch));
    }
    changed_.notify_all();
    if (failed) return;
  }
}

void Loader::stop() {
  if (!producer_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  producer_.join();
  stopping_ = false;
  ready_.clear();
}

}  // namespace data
