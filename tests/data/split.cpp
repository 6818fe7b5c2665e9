/// Splits: sizes, hashes, whole sequences, and files that notice changes.
#include "data/split.h"

#include <set>

#include "data/format_error.h"
#include "data/hash.h"
#include "folders.h"

namespace {

std::vector<std::string> numbered(int count) {
  std::vector<std::string> names;
  for (int i = 1; i <= count; ++i) names.push_back(std::to_string(i));
  return names;
}

size_t distinct(const data::Split& s) {
  std::set<std::string> all(s.training.begin(), s.training.end());
  all.insert(s.validation.begin(), s.validation.end());
  all.insert(s.test.begin(), s.test.end());
  return all.size();
}

}  // namespace

TEST_CASE("sha256: the digests of 200 lengths, whatever the padding") {
  std::string text, digests;
  for (int length = 0; length < 200; text += char(37 * ++length)) digests += data::sha256(text);
  CHECK(data::sha256(digests) == "f92ad38c56f84a5bd4a7e569f1d3e5a319d8e7ff69b2ea7728c7b915a2218e63");  // of sha256sum
}

TEST_CASE("sha256 of the standard's examples") {
  CHECK(data::sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(data::sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a random split has the paper's sizes and depends on the seed and the set of names only") {
  const data::Split kvasir = data::random_split(numbered(1000), 0), clinic = data::random_split(numbered(612), 0);
  CHECK(kvasir.training.size() == 700);
  CHECK(kvasir.validation.size() == 150);
  CHECK(kvasir.test.size() == 150);
  CHECK(distinct(kvasir) == 1000);
  CHECK(clinic.training.size() == 428);
  CHECK(clinic.validation.size() == 92);
  CHECK(clinic.test.size() == 92);
  auto reversed = numbered(612);
  std::reverse(reversed.begin(), reversed.end());
  CHECK(data::random_split(reversed, 0) == clinic);
  CHECK(data::random_split(numbered(612), 1).test != clinic.test);
  CHECK_THROWS_AS(data::random_split({"a", "b", "a"}, 0), tensor::Error);
  CHECK_THROWS_AS(data::random_split(numbered(9), 0, {.validation = 0.5, .test = 0.5}), tensor::Error);
}

TEST_CASE("the shuffle is the one that was published") {
  // Changing these names means that every split made before is another one.
  CHECK(data::random_split(numbered(10), 0).test == std::vector<std::string>{"10", "4"});
  CHECK(data::split_hash(data::random_split(numbered(612), 0)) ==
        "8cbb75f9d9cae58c6c86581d284fce903cd610441acc6ba59090820932871c03");
}

TEST_CASE("sequences of CVC-ClinicDB begin and end where its table says") {
  CHECK(data::cvc_clinicdb_sequence(1) == 0);
  CHECK(data::cvc_clinicdb_sequence(25) == 0);
  CHECK(data::cvc_clinicdb_sequence(26) == 1);
  CHECK(data::cvc_clinicdb_sequence(205) == 9);
  CHECK(data::cvc_clinicdb_sequence(206) == 10);
  CHECK(data::cvc_clinicdb_sequence(591) == 27);
  CHECK(data::cvc_clinicdb_sequence(612) == 28);
  CHECK_THROWS_AS(data::cvc_clinicdb_sequence(613), tensor::Error);
  CHECK_THROWS_AS(data::cvc_clinicdb_groups({"12", "12b"}), data::FormatError);
}

TEST_CASE("a grouped split keeps every sequence on one side and comes near the wanted sizes") {
  const auto names = numbered(612);
  const data::Split split = data::grouped_split(names, data::cvc_clinicdb_groups(names), 3);
  CHECK(distinct(split) == 612);
  std::set<int> seen[3];
  const std::vector<std::string>* lists[3] = {&split.training, &split.validation, &split.test};
  for (int l = 0; l < 3; ++l)
    for (const int g : data::cvc_clinicdb_groups(*lists[l])) seen[l].insert(g);
  CHECK(seen[0].size() + seen[1].size() + seen[2].size() == 29);
  for (int l = 1; l < 3; ++l) {
    CHECK(lists[l]->size() > 76);
    CHECK(lists[l]->size() < 108);
  }
}

TEST_CASE("a split file reads back as it was, and a changed one is refused") {
  const Scratch folder;
  const data::Split split = data::random_split(numbered(20), 7);
  const std::string path = folder / "split.txt";
  data::write_split(path, split);
  CHECK(data::read_split(path) == split);
  std::string text = tensor::read_file(path);
  CHECK(contains(text, data::split_hash(split)));
  text[text.size() - 2] = 'x';
  tensor::write_file_atomically(path, text);
  const std::string refusal = message_of<data::FormatError>([&] { data::read_split(path); });
  CHECK(contains(refusal, "split.txt"));
  CHECK(contains(refusal, "SHA-256"));
  for (const char* bad : {"", "hello", "cris split 1\n", "cris split 1\nsha256 00\n"}) {
    CAPTURE(bad);
    tensor::write_file_atomically(path, bad);
    CHECK_THROWS_AS(data::read_split(path), data::FormatError);
  }
  CHECK_THROWS_AS(data::read_split(folder / "absent.txt"), data::FormatError);
  // Names that look like headings.
  data::Split headings = split;
  headings.training.push_back("[test 1]"), headings.test.push_back("[validation 0]");
  data::write_split(path, headings);
  CHECK(data::read_split(path) == headings);
  // A name in two lists, with a right hash.
  data::Split twice = split;
  twice.test.push_back(twice.training.front());
  data::write_split(path, twice);
  CHECK(contains(message_of<data::FormatError>([&] { data::read_split(path); }), "occurs twice"));
  // Parts that share their images say so; even then no list has a name twice.
  twice.protocol = data::kSharedParts + split.protocol;
  data::write_split(path, twice);
  CHECK(data::read_split(path) == twice);
  twice.test.push_back(twice.test.front());
  data::write_split(path, twice);
  CHECK(contains(message_of<data::FormatError>([&] { data::read_split(path); }), "occurs twice"));
}
