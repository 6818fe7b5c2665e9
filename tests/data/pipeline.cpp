/// The four steps of a pipeline: order, limits, failures and stops.
#include "data/pipeline.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int64_t kItems = 200, kAhead = 5;

/// Counts what the steps see.
struct Counted {
  std::atomic<int64_t> under_way{0}, most{0};
  std::vector<int64_t> computed, written;
  std::vector<std::atomic<int>> stage = std::vector<std::atomic<int>>(kItems);
  std::thread::id computes = std::this_thread::get_id();
  std::atomic<bool> good{true};

  data::Pipeline steps(int threads) {
    data::Pipeline p;
    p.threads = threads, p.ahead = kAhead;
    p.read = [this](int64_t i) {
      const int64_t now = ++under_way;
      for (int64_t seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      if (stage[size_t(i)]++ != 0) good = false;
    };
    p.compute = [this](int64_t i) {
      if (stage[size_t(i)]++ != 1 || std::this_thread::get_id() != computes) good = false;
      computed.push_back(i);
    };
    p.encode = [this](int64_t i) {
      if (stage[size_t(i)]++ != 2) good = false;
    };
    p.write = [this](int64_t i) {
      if (stage[size_t(i)]++ != 3) good = false;
      written.push_back(i);
      --under_way;
    };
    return p;
  }
  /// Whether exactly 0 .. count - 1 were written, in order.
  bool wrote(int64_t count) const {
    for (int64_t i = 0; i < int64_t(written.size()); ++i)
      if (written[size_t(i)] != i) return false;
    return int64_t(written.size()) == count;
  }
};

}  // namespace

TEST_CASE("pipeline: every item passes all steps, in order, a few at a time") {
  for (const int threads : {1, 3}) {
    CAPTURE(threads);
    Counted c;
    CHECK(data::run_pipeline(kItems, c.steps(threads)) == kItems);
    CHECK(c.good);
    CHECK(c.wrote(kItems));
    CHECK(c.most <= kAhead);
  }
  CHECK(data::run_pipeline(0, Counted().steps(2)) == 0);
}

TEST_CASE("pipeline: a failure ends it once the items before are written") {
  for (const char* step : {"read", "compute", "encode", "write"})
    for (const int threads : {1, 3}) {
      CAPTURE(step);
      CAPTURE(threads);
      Counted c;
      data::Pipeline p = c.steps(threads);
      auto& failing = step == std::string("read")      ? p.read
                      : step == std::string("compute") ? p.compute
                      : step == std::string("encode")  ? p.encode
                                                       : p.write;
      failing = [good = failing](int64_t i) {
        if (i == 57 || i == 59) throw std::runtime_error(std::to_string(i));
        good(i);
      };
      CHECK_THROWS_WITH(data::run_pipeline(kItems, p), "57");
      CHECK(c.wrote(57));
    }
}

TEST_CASE("pipeline: a stop lets what was computed be written") {
  Counted c;
  data::Pipeline p = c.steps(2);
  p.stop = [&c] { return c.computed.size() == 40; };
  CHECK(data::run_pipeline(kItems, p) == 40);
  CHECK(c.wrote(40));
}
