/// Folders of pairs, their faults, the integrity report, the synthetic set.
#include "data/dataset.h"

#include "data/files.h"
#include "data/format_error.h"
#include "data/integrity.h"
#include "data/loader.h"
#include "data/synthetic.h"
#include "folders.h"

namespace fs = std::filesystem;

TEST_CASE("pairs are matched by base name, whatever the extension, and sorted") {
  const Scratch folder;
  write_pairs(folder, 3);
  fs::rename(folder / "images/b.png", folder / "images/b.JPG");
  tensor::write_file_atomically(folder / "images/notes.txt", "not a picture");
  tensor::write_file_atomically(folder / "images/.hidden.png", "");
  const data::Dataset set = data::open_dataset(folder.path);
  REQUIRE(set.pairs.size() == 3);
  CHECK(set.pairs[0].name == "a");
  CHECK(set.pairs[1].name == "b");
  CHECK(contains(set.pairs[1].image, "images/b.JPG"));
  CHECK(contains(set.pairs[1].mask, "masks/b.png"));
  CHECK(data::read_pair(set.pairs[1]).image.channels == 3);
}

TEST_CASE("a folder that is not a data set is refused with the name of what is missing") {
  const auto refusal = [](const Scratch& f) {
    return message_of<data::FormatError>([&] { data::open_dataset(f.path); });
  };
  const Scratch folder;
  CHECK(contains(message_of<data::FormatError>([] { data::open_dataset("/nowhere/set"); }), "/nowhere/set"));
  CHECK(contains(refusal(folder), "images is missing"));
  folder.folder("images");
  CHECK(contains(refusal(folder), "masks is missing"));
  folder.folder("masks");
  CHECK(contains(refusal(folder), "holds no PNG"));
  write_pairs(folder, 2);
  fs::remove(folder / "masks/b.png");
  CHECK(contains(refusal(folder), "images/b.png has no mask"));
  fs::remove(folder / "images/b.png");
  fs::copy(folder / "masks/a.png", folder / "masks/z.png");
  CHECK(contains(refusal(folder), "masks/z.png has no image"));
  fs::remove(folder / "masks/z.png");
  fs::copy(folder / "images/a.png", folder / "images/a.bmp");
  CHECK(contains(refusal(folder), "share the base name"));
}

TEST_CASE("files of kinds that are not read are passed over, counted, and not called missing") {
  const Scratch folder;
  write_pairs(folder, 2);
  fs::rename(folder / "masks/b.png", folder / "masks/b.gif");
  CHECK(contains(message_of<data::FormatError>([&] { data::open_dataset(folder.path); }),
                 "masks/b.gif is not a PNG, JPEG, BMP or TIFF; convert it"));
  fs::rename(folder / "images/b.png", folder / "images/b.webp");
  const data::IntegrityReport report = data::check_dataset(folder.path);
  CHECK(report.pairs == 1);
  CHECK(report.passed_over == std::vector<std::string>{"images/b.webp", "masks/b.gif"});
  CHECK(contains(data::report_text(report), "2: images/b.webp, masks/b.gif; only PNG, JPEG, BMP and TIFF"));
}

TEST_CASE("what was done to pictures is said, with the names of the files") {
  const Scratch folder;
  folder.folder("images");
  folder.folder("masks");
  const std::string pictures = CRIS_TEST_DATA "/pictures/";
  for (const std::string name : {"turned6.jpg", "faint12.png", "pages.tif", "rgba.png"}) {
    fs::copy(pictures + name, folder / "images/" + name);
    const bool turned = name[0] == 't';
    data::write_png(folder / "masks/" + data::base_name(name) + ".png",
                    turned ? rectangle(20, 12, 1, 1, 9, 9) : rectangle(12, 20, 1, 1, 9, 9));
  }
  fs::copy(pictures + "turned3.png", folder / "images/upright.png");
  fs::copy(pictures + "turned3.png", folder / "masks/upright.png");
  const data::IntegrityReport report = data::check_dataset(folder.path);
  CHECK(report.refused.empty());
  CHECK(report.remarks ==
        decltype(report.remarks){{"12 of 16 bits used, read as such", {"images/faint12.png"}},
                                 {"first page read of several", {"images/pages.tif"}},
                                 {"transparency ignored", {"images/rgba.png"}},
                                 {"looks like a photograph, not like a mask", {"masks/upright.png"}},
                                 {"turned as their orientation tag says",
                                  {"images/turned6.jpg", "images/upright.png", "masks/upright.png"}}});
  CHECK(contains(data::report_text(report), "turned as their orientation tag says: 3: images/turned6.jpg"));
  data::SampleStore store(data::open_dataset(folder.path).pairs, 8, 8);
  for (int64_t i = 0; i < store.size(); ++i) store.get(i);
  CHECK(store.remarks().at("turned as their orientation tag says") == 3);
}

TEST_CASE("a mask of another size is refused, naming both sizes") {
  const Scratch folder;
  write_pairs(folder, 1);
  data::write_png(folder / "masks/a.png", rectangle(9, 9, 1, 1, 5, 5));
  const data::Dataset set = data::open_dataset(folder.path);
  const std::string message = message_of<data::FormatError>([&] { data::read_pair(set.pairs[0]); });
  CHECK(contains(message, "9 x 9"));
  CHECK(contains(message, "16 x 12"));
}

TEST_CASE("the report finds what is wrong and goes on") {
  const Scratch folder;
  write_pairs(folder, 5);
  const std::string a = tensor::read_file(folder / "images/a.png");
  tensor::write_file_atomically(folder / "images/b.png", a.substr(0, a.size() / 2));  // cut off
  tensor::write_file_atomically(folder / "images/f.jpg", "text");                     // no image, no mask
  data::write_png(folder / "masks/c.png", data::Image(14, 16, 1));                    // empty
  data::write_png(folder / "masks/d.png", rectangle(12, 17, 0, 0, 12, 17));           // full
  data::Image ringing = rectangle(13, 16, 2, 2, 9, 9), dim(13, 17, 1);
  ringing.pixels[0] = 8;
  ringing.pixels[3 * 16 + 3] = 247;
  data::write_png(folder / "masks/e.png", ringing);
  data::write_png(folder / "images/g.png", gradient(12, 16, 3));  // equal to a
  data::write_png(folder / "masks/g.png", data::Image(12, 16, 1));
  dim.pixels[20] = 1;
  data::write_png(folder / "images/h.png", gradient(13, 17, 3));
  data::write_png(folder / "masks/h.png", dim);
  const data::IntegrityReport report = data::check_dataset(folder.path);
  CHECK(report.pairs == 5);
  REQUIRE(report.refused.size() == 3);
  CHECK(contains(report.refused[0], "f.jpg has no mask"));
  CHECK(contains(report.refused[1], "images/b.png"));
  CHECK(contains(report.refused[2],
                 "masks/h.png is not black, yet no pixel of it counts as polyp: its values go up to 1"));
  CHECK(report.empty_masks == std::vector<std::string>{"c", "g"});
  CHECK(report.full_masks == std::vector<std::string>{"d"});
  CHECK(report.ringing_masks == 1);
  CHECK(report.binary_masks == 4);
  CHECK(report.soft_masks.empty());
  CHECK(report.most_coverage == 1.0);
  CHECK(report.sizes.at({16, 12}) == 2);
  REQUIRE(report.duplicates.size() == 1);
  CHECK(report.duplicates[0] == std::vector<std::string>{"a", "g"});
  const data::Split split{.training = {"a", "c"}, .validation = {"d"}, .test = {"g", "e"}, .protocol = "by hand"};
  const auto crossing = data::leaks(report, split);
  REQUIRE(!crossing.empty());
  CHECK(crossing[0].a == "a");
  CHECK(crossing[0].b == "g");
  const std::string text = data::report_text(report);
  CHECK(contains(text, "a = g"));
  CHECK(contains(text, report.refused[1]));
  CHECK(data::report_text(data::check_dataset(folder.path, 1)) == text);
}

TEST_CASE("near-duplicates are found by looks, not by bytes") {
  const Scratch folder;
  folder.folder("images");
  folder.folder("masks");
  const data::Sample one = data::synthesize(1, 0, 64, 64), two = data::synthesize(1, 1, 64, 64);
  data::write_png(folder / "images/one.png", one.image);
  data::write_png(folder / "images/two.png", two.image);
  data::write_png(folder / "images/three.png", data::shift_colours(one.image, {.brightness = 0.05}));
  for (const char* name : {"one", "two", "three"}) data::write_png(folder / "masks/" + name + ".png", one.mask);
  const data::IntegrityReport report = data::check_dataset(folder.path);
  CHECK(report.duplicates.empty());
  REQUIRE(report.near_duplicates.size() == 1);
  CHECK(report.near_duplicates[0].a == "one");
  CHECK(report.near_duplicates[0].b == "three");
}

TEST_CASE("a set in which every mask is black is called what it is") {
  const Scratch folder;
  write_pairs(folder, 2);
  data::write_png(folder / "masks/a.png", data::Image(12, 16, 1));
  data::write_png(folder / "masks/b.png", data::Image(13, 17, 1));
  const data::IntegrityReport report = data::check_dataset(folder.path);
  CHECK(contains(data::report_text(report), "EVERY mask is empty"));
  CHECK_FALSE(report.usable());
}

TEST_CASE("prepare writes every pair at the size, masks of 0 and 255") {
  const Scratch folder;
  write_pairs(folder, 4);
  CHECK(data::prepare_dataset(data::open_dataset(folder.path), folder / "small", 8, 10) == 4);
  const data::IntegrityReport report = data::check_dataset(folder / "small");
  CHECK(report.pairs == 4);
  CHECK(report.binary_masks == 4);
  CHECK(report.sizes.at({10, 8}) == 4);
  CHECK_THROWS_AS(data::prepare_dataset(data::open_dataset(folder.path), "/proc/none", 8, 8), data::FormatError);
}

TEST_CASE("a set is written whole or not at all, and never into another one") {
  const Scratch folder;
  write_pairs(folder, 3);
  const std::string b = tensor::read_file(folder / "images/b.png");
  const auto prepare = [&](const std::string& out) {
    return message_of<data::FormatError>([&] { data::prepare_dataset(data::open_dataset(folder.path), out, 8, 8); });
  };
  tensor::write_file_atomically(folder / "images/b.png", b.substr(0, b.size() - 9));
  CHECK(contains(prepare(folder / "small"), "images/b.png"));
  CHECK_FALSE(fs::exists(folder / "small"));
  tensor::write_file_atomically(folder / "images/b.png", b);
  CHECK(contains(prepare(folder.path), "is the data set itself"));
  data::prepare_dataset(data::open_dataset(folder.path), folder / "small", 8, 8);
  data::prepare_dataset(data::open_dataset(folder.path), folder / "small", 6, 6);
  CHECK(data::check_dataset(folder / "small").sizes.at({6, 6}) == 3);
  CHECK(std::distance(fs::directory_iterator(folder / "small"), fs::directory_iterator()) == 2);
  CHECK(contains(message_of<data::FormatError>([&] { data::write_synthetic_set(folder / "small", 2, 32, 32, 0); }),
                 "small/images holds a.png"));
  CHECK(data::check_dataset(folder / "small").sizes.at({6, 6}) == 3);
}

TEST_CASE("files of a staging folder appear together and beside what was there, without publish nothing stays") {
  const Scratch folder;
  const std::string out = folder / "out";
  const auto make = [&](const std::string& text, bool publish) {
    data::StagingFolder staging(out);
    data::create_folder(staging.path() + "/deep");
    tensor::write_file_atomically(staging.path() + "/a", text);
    tensor::write_file_atomically(staging.path() + "/deep/b", text);
    if (publish) staging.publish();
  };
  make("none", false);
  CHECK_FALSE(fs::exists(out));
  make("first", true);
  CHECK(tensor::read_file(out + "/deep/b") == "first");
  tensor::write_file_atomically(out + "/deep/mine", "kept");
  make("none", false);
  CHECK(tensor::read_file(out + "/a") == "first");
  fs::create_directories(out + "/.partial/deep");  // of a killed process
  tensor::write_file_atomically(out + "/.partial/deep/lost", "");
  make("second", true);
  CHECK(tensor::read_file(out + "/a") == "second");
  CHECK(tensor::read_file(out + "/deep/b") == "second");
  CHECK(tensor::read_file(out + "/deep/mine") == "kept");
  CHECK_FALSE(fs::exists(out + "/deep/lost"));
  CHECK_FALSE(fs::exists(out + "/.partial"));
}

TEST_CASE("names that no list could hold are refused") {
  for (const std::string& name :
       {std::string("a\nb"), std::string("\xff"), std::string(201, 'x'), std::string("\x7f")}) {
    CAPTURE(name);
    const Scratch folder;
    write_pairs(folder, 1);
    for (const char* part : {"images/", "masks/"}) fs::rename(folder / part + "a.png", folder / part + name + ".png");
    CHECK(contains(message_of<data::FormatError>([&] { data::open_dataset(folder.path); }), "rename the file"));
  }
}

TEST_CASE("plain text is UTF-8 without control characters") {
  for (const char* text : {"", "polyp 1", "\u00e9\u65e5\U0001f600"}) CHECK(data::is_plain_text(text));
  for (const char* text : {"a\n", "\t", "\x7f", "\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xc3\x28"})
    CHECK_FALSE(data::is_plain_text(text));
}

TEST_CASE("synthetic pictures depend on seed and index only, and always hold a polyp") {
  for (int64_t i = 0; i < 12; ++i) {
    CAPTURE(i);
    const data::Sample x = data::synthesize(0, i, 64, 80);
    CHECK(x.image.height == 64);
    CHECK(x.image.width == 80);
    CHECK(x.image == data::synthesize(0, i, 64, 80).image);
    CHECK(std::count(x.mask.pixels.begin(), x.mask.pixels.end(), 255) > 0);
    CHECK(std::count(x.mask.pixels.begin(), x.mask.pixels.end(), 0) > 64 * 80 / 4);
  }
  CHECK(data::synthesize(0, 0, 64, 64).image != data::synthesize(0, 1, 64, 64).image);
  CHECK(data::synthesize(0, 0, 64, 64).image != data::synthesize(1, 0, 64, 64).image);
  CHECK_THROWS_AS(data::synthesize(0, 0, 8, 8), tensor::Error);
}

TEST_CASE("a written synthetic set is the same for any number of threads") {
  const Scratch folder;
  data::write_synthetic_set(folder / "one", 5, 48, 48, 2, 1);
  data::write_synthetic_set(folder / "two", 5, 48, 48, 2, 2);
  const auto files = data::list_files(folder / "one/images");
  CHECK(files.size() == 5);
  CHECK(files[0] == "0000.png");
  CHECK(data::check_dataset(folder / "one").fingerprint == data::check_dataset(folder / "two").fingerprint);
}
