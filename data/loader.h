/// Batches for training and evaluation: decoded once, shuffled by epoch, prepared by a background thread.
#pragma once
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "data/dataset.h"
#include "tensor/tensor.h"

namespace data {

/// The decoded and resized pairs of a data set, each decoded when first asked for and then kept (4 bytes a pixel) until
/// `cache_bytes` are full; what no longer fits is decoded anew each time. Safe to use from several threads.
class SampleStore {
 public:
  SampleStore(std::vector<Pair> pairs, int64_t height, int64_t width, int64_t cache_bytes = int64_t(8) << 30);
  int64_t size() const { return int64_t(pairs_.size()); }
  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  const Pair& pair(int64_t i) const { return pairs_[size_t(i)]; }
  /// Pair i at height x width, the mask thresholded. Throws FormatError for a bad file, now and at every later call,
  /// and when it is decoded anew and is not what it was.
  std::shared_ptr<const Sample> get(int64_t i);
  /// How many of the pairs read so far have polyps smaller than a pixel at this size: see resize().
  int64_t specks() const;
  /// What decode_image remarked so far -> in how many files.
  std::map<std::string, int64_t> remarks();

 private:
  std::vector<Pair> pairs_;
  int64_t height_, width_, cache_bytes_;
  mutable std::mutex mutex_;
  int64_t used_bytes_ = 0;
  std::set<int64_t> specks_;
  std::map<int64_t, size_t> seen_;  // hashes of the pairs read so far
  std::map<std::string, int64_t> remarks_;
  std::vector<std::shared_ptr<const Sample>> samples_;
};

/// The pairs of `names`, in that order. Throws FormatError naming the first that the data set lacks.
std::vector<Pair> select(const Dataset& dataset, const std::vector<std::string>& names);

struct LoaderOptions {
  int64_t batch = 1;
  bool shuffle = true;  ///< else the store's order
  uint64_t seed = 0;    ///< of the order and of the augmentation
  Augmentation augmentation = {};
  int threads = 0;       ///< that decode; 0: all
  int64_t prefetch = 4;  ///< batches prepared ahead
};

/// x: [N, height, width, 3], RGB / 255. mask: [N, height, width, 1], 0 or 1. Both f32.
struct Batch {
  tensor::Tensor x, mask;
  std::vector<int64_t> samples;  ///< which pairs of the store, in the order of the batch
  int64_t epoch = 0, step = 0;
};

/// Goes through a store epoch by epoch. The sample at a place of an epoch is a function of (seed, epoch, place) only:
/// not of the number of threads, nor of where the epoch was entered. The last batch may be short. The background thread
/// uses memory of its own; Tensors are made by the thread that calls next().
class Loader {
 public:
  /// Throws Error if an option is out of range or the store is empty.
  Loader(std::shared_ptr<SampleStore> store, const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  const SampleStore& store() const { return *store_; }
  /// ceil(samples / batch)
  int64_t steps_per_epoch() const;
  /// The order in which `epoch` visits the store.
  std::vector<int64_t> order(int64_t epoch) const;
  /// Begins `epoch` at `step`, dropping what was under way.
  void start(int64_t epoch, int64_t step = 0);
  /// The next batch on `device`; nothing at the end of the epoch. Rethrows what the background thread threw
  /// (FormatError for a bad file), at the batch that met it.
  std::optional<Batch> next(tensor::Device device);

 private:
  struct HostBatch {
    std::vector<float> x, mask;
    std::vector<int64_t> samples;
    int64_t step = 0;
    std::exception_ptr failure;
  };
  std::shared_ptr<SampleStore> store_;
  LoaderOptions options_;
  int64_t epoch_ = 0, next_step_ = 0;
  std::vector<int64_t> order_;  // of epoch_
  std::thread producer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<HostBatch> ready_;
  bool stopping_ = false;

  HostBatch assemble(const std::vector<int64_t>& order, int64_t epoch, int64_t step);
  void produce(int64_t epoch, int64_t first_step);
  void stop();
};

}  // namespace data
