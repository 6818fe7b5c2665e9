/// Every measure against numbers that public programs gave for the same maps: scikit-learn 1.9, medpy 0.5.2,
/// PySODMetrics 1.6.2 and SciPy 1.17, as tests/measures/compare_with_python.py calls them. That script checks real
/// maps.
#include "cris/measures/measures.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "cris/measures/distance.h"
#include "cris/measures/rank_test.h"
#include "cris/measures/surface.h"
#include "data/format_error.h"
#include "data/map.h"
#include "tensor/machine/atomic_file.h"
#include "tests/message.h"
#include "tests/scratch.h"

namespace {

/// MadeMap that anyone can make again: integers over 31, which f32 holds alike everywhere.
std::vector<float> made_map(int64_t height, int64_t width) {
  std::vector<float> p;
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) p.push_back(float((x * 7 + y * 13 + x * y * 3) % 32) / 31.0f);
  return p;
}

std::vector<float> made_mask(const std::string& kind, int64_t height, int64_t width) {
  std::vector<float> g;
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const int64_t dx = x - width / 2, dy = y - height / 2;
      g.push_back(kind == "disc"  ? dx * dx + dy * dy <= 20
                  : kind == "two" ? (x < 3 && y < 3) || (x >= width - 4 && y >= height - 5 && (x + y) % 5 != 0)
                                  : kind == "all");
    }
  return g;
}

struct MadeMap {
  const char* kind;
  int64_t height, width;
  double threshold;
};
struct MeasuredCase {
  MadeMap maps;
  std::array<double, 15> values;  // in the order of image_measures(); 0 for no average precision
  std::array<int64_t, 3> lesions;
};
const MeasuredCase kMeasured[] = {
    {{"disc", 12, 15, 0.5},
     {0.363636363636, 0.329411764706, 0.405797101449, 0.378650709528, 0.544444444444, 0.222222222222, 0.486486486486,
      0.387811634349, 3.60555127546, 1.60958152789, 0.556962025316, 0.259809163162, 0.384965064352, 0.45584909057,
      0.36293968022},
     {1, 1, 2}},
    {{"two", 16, 11, 0.25},
     {0.231292517007, 0.139344262295, 0.68, 0.353733088302, 0.642045454545, 0.130769230769, 0.304635761589,
      0.382882882883, 7, 3.09226237614, 0.375, 0.316394337492, 0.379683262228, 0.24096317347, 0.142478163617},
     {2, 2, 0}},
    {{"none", 9, 9, 0.75},
     {0, 0, 0, 0.289102141552, 0.185185185185, 0, 0.814814814815, 0, 12.7279220614, 12.7279220614, 0, 0.553962568442,
      0.56044921875, 0, 0},
     {0, 0, 7}},
    {{"all", 8, 10, 0.5},
     {0.64406779661, 1, 0.475, 0.339177944425, 0.525, 0.475, 1, 0.530726256983, 2, 0.783263244639, 0.808383233533,
      0.498387093097, 0.504994066456, 0.83643748688, 1},
     {1, 1, 0}},
    {{"two", 10, 10, 1.01},
     {0, 0, 0, 0.363725286477, 0.25, 0, 1, 0, 14.1421356237, 14.1421356237, 0, 0.292573938138, 0.398990222706,
      0.387875243213, 0.242922226957},
     {2, 0, 0}},
    {{"none", 7, 7, 1.01},
     {1, 1, 1, 0.263012588642, 0, 1, 1, 1, 0, 0, 1, 0.574061888213, 0.58544921875, 0, 0},
     {0, 0, 0}},
};

}  // namespace

TEST_CASE("measures equal those of public programs") {
  for (const MeasuredCase& c : kMeasured) {
    const MadeMap& m = c.maps;
    CAPTURE(m.kind);
    CAPTURE(m.threshold);
    cris::MeasureSet set(m.threshold);
    set.add("a", made_map(m.height, m.width).data(), made_mask(m.kind, m.height, m.width).data(), m.height, m.width);
    const cris::ImageMeasures& i = set.images().at(0);
    for (size_t k = 0; k < c.values.size(); ++k) {
      CAPTURE(cris::image_measures()[k].key);
      CHECK(cris::image_measures()[k].of(i) == doctest::Approx(c.values[k]).epsilon(1e-9));
    }
    CHECK(i.lesions.lesions == c.lesions[0]);
    CHECK(i.lesions.found == c.lesions[1]);
    CHECK(i.lesions.false_positives == c.lesions[2]);
  }
}

TEST_CASE("the nearest pixel is the one that all pixels compared give, the leftmost and uppermost of several") {
  for (const char* kind : {"disc", "two", "all"}) {
    const int64_t height = 14, width = 17;
    const cris::BinaryMap set = cris::binarize(made_mask(kind, height, width).data(), height, width, 0.5);
    const std::vector<int64_t> nearest = cris::nearest_pixels(set);
    for (int64_t i = 0; i < height * width; ++i) {
      int64_t best = -1;
      double least = 1e9;
      for (int64_t x = 0; x < width; ++x)
        for (int64_t y = 0; y < height; ++y)
          if (const double d = cris::pixel_distance(i, y * width + x, width); set.at(y, x) && d < least)
            least = d, best = y * width + x;
      CHECK(nearest[size_t(i)] == best);
    }
  }
  for (const int64_t i : cris::nearest_pixels({3, 3, std::vector<uint8_t>(9)})) CHECK(i == -1);
}

TEST_CASE("the precision-recall curve has a point for each probability, and thinning keeps its shape") {
  // scikit-learn's example: y = 0 0 1 1, scores .1 .4 .35 .8.
  cris::PrecisionRecall small;
  const float scores[] = {0.1f, 0.4f, 0.35f, 0.8f};
  const uint8_t truth[] = {0, 0, 1, 1};
  small.add(scores, truth, 4);
  const auto curve = small.curve();
  REQUIRE(curve.size() == 4);
  const double expected[][2] = {{1, 0.5}, {0.5, 0.5}, {2.0 / 3, 1}, {0.5, 1}};
  for (size_t i = 0; i < 4; ++i) {
    CHECK(curve[i].precision == doctest::Approx(expected[i][0]));
    CHECK(curve[i].recall == doctest::Approx(expected[i][1]));
  }
  CHECK(cris::average_precision(curve) == doctest::Approx(5.0 / 6));
  CHECK(cris::precision_at(curve, 0.5) == 1);
  CHECK(cris::precision_at(curve, 0.51) == doctest::Approx(2.0 / 3));

  std::vector<cris::PrecisionRecallPoint> line;
  for (int i = 0; i <= 1000; ++i) line.push_back({1 - i / 1000.0, i < 500 ? 1.0 : 1.5 - i / 1000.0, i / 1000.0});
  const auto few = cris::thinned(line);
  REQUIRE(few.size() == 3);
  CHECK(few[1].recall == doctest::Approx(0.5));
  CHECK(cris::thinned(curve, 3).size() == 3);
}

TEST_CASE("measures of many images: means, pixels together, and what has no polyp") {
  cris::MeasureSet set(0.5);
  const std::vector<float> p = made_map(9, 9), none(81, 0.0f);
  set.add("polyp", p.data(), made_mask("disc", 9, 9).data(), 9, 9);
  set.add("without", none.data(), made_mask("none", 9, 9).data(), 9, 9);
  const auto json = set.json();
  CHECK(json["images"] == 2);
  CHECK(json["images_without_polyp"] == 1);
  CHECK(json["images_without_prediction"] == 1);
  CHECK(json["mean"]["dice"].get<double>() == doctest::Approx((cris::dice(set.images()[0].counts) + 1) / 2));
  // Average precision does not exist without a polyp: the other image's alone.
  CHECK(json["mean"]["average_precision"].get<double>() == doctest::Approx(set.images()[0].average_precision));
  CHECK(contains(set.csv(), "\nwithout,1,1,1,0,0,1,1,1,0,0,1,1,"));
  CHECK(set.csv().ends_with(",0,,0,0,81,0,0,0\n"));
  CHECK(json["by_size"]["large"]["images"] == 1);
  CHECK(json["calibration"].size() == 15);
  const std::vector<float> wrong{0.5f, NAN};
  CHECK_THROWS(set.add("bad", wrong.data(), none.data(), 1, 2));
}

TEST_CASE("a map written for NumPy comes back, and other files are refused by name") {
  const Scratch scratch;
  const std::string path = scratch / "map.npy";
  const std::vector<float> values{0, 0.25f, 0.5f, 0.75f, 1, 0.1f};
  data::write_npy(path, values.data(), 2, 3);
  const std::string bytes = tensor::read_file(path);
  CHECK(bytes.size() == 128 + 24);
  const data::Map map = data::parse_npy(bytes, path);
  CHECK(map.height == 2);
  CHECK(map.width == 3);
  CHECK(map.values == values);
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = bytes;
    other.replace(other.find(from), from.size(), to);
    return message_of<data::FormatError>([&] { data::parse_npy(other, "m.npy"); });
  };
  CHECK(changed("NUMPY", "NUMPI").find("m.npy: not a NumPy array") != std::string::npos);
  CHECK(changed("<f4", "<i8").find("values of type <i8") != std::string::npos);
  CHECK(changed("False", "True ").find("m.npy") != std::string::npos);
  CHECK(changed("(2, 3)", "(2,30)").find("shape") != std::string::npos);
  CHECK(changed("(2, 3)", "(3, 3)").find("holds 24 bytes") != std::string::npos);
}

TEST_CASE("Wilcoxon's signed-rank test as scipy.stats.wilcoxon, and Holm's correction") {
  const auto made = [](int n) {
    std::vector<double> d;
    for (int i = 0; i < n; ++i) d.push_back(((i * 37) % 23 - 9) / 10.0);
    return d;
  };
  struct Row {
    std::vector<double> differences;
    double rank_sum, p;
  };
  for (const Row& r : {Row{{1, 2, 3, 4, 5, -6, 7}, 6, 0.21875}, Row{made(12), 33.5, 0.6660165023369173},
                       Row{made(40), 277, 0.11451030786011211}}) {
    const cris::RankTest test = cris::wilcoxon(r.differences);
    CHECK(test.rank_sum == doctest::Approx(r.rank_sum));
    CHECK(test.p == doctest::Approx(r.p).epsilon(1e-9));
  }
  CHECK(cris::wilcoxon({0, 0}).p == 1);
  CHECK(cris::holm({0.01, 0.04, 0.03, 0.9}) == std::vector<double>{0.04, 0.09, 0.09, 0.9});
}
