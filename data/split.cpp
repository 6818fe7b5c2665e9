/// Philox shuffles, sequences of CVC-ClinicDB, and the text form of a split.
#include "data/split.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <string_view>

#include "data/files.h"
#include "data/format_error.h"
#include "data/hash.h"
#include "data/random_streams.h"
#include "tensor/machine/atomic_file.h"
#include "tensor/random.h"

namespace data {

namespace {

struct Targets {
  int64_t validation, test;
};

Targets targets(int64_t count, const SplitShares& shares) {
  tensor::check(shares.validation >= 0 && shares.test >= 0 && shares.validation + shares.test < 1,
                "split: shares {} (validation) and {} (test) must be at least 0 and together below 1",
                shares.validation, shares.test);
  return {std::llround(double(count) * shares.validation), std::llround(double(count) * shares.test)};
}

void check_distinct(const std::vector<std::string>& sorted) {
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  tensor::check(twice == sorted.end(), "split: the name \"{}\" occurs twice", twice == sorted.end() ? "" : *twice);
}

/// The names of each group, sorted; the groups in the order of the shuffle.
std::vector<std::vector<std::string>> shuffled_groups(const std::vector<std::string>& names,
                                                      const std::vector<int>& groups, uint64_t seed, uint32_t step) {
  tensor::check(names.size() == groups.size(), "split: {} names but {} groups", names.size(), groups.size());
  std::map<int, std::vector<std::string>> members;
  for (size_t i = 0; i < names.size(); ++i) members[groups[i]].push_back(names[i]);
  std::vector<std::vector<std::string>> lists;
  for (auto& [group, list] : members) {
    std::sort(list.begin(), list.end());
    lists.push_back(std::move(list));
  }
  tensor::shuffle(lists, {.seed = seed, .stream = kSplitStream, .step = step});
  return lists;
}

constexpr std::array<int64_t, 29> kLastFrames = {25,  50,  67,  78,  103, 126, 151, 177, 199, 205,
                                                 227, 252, 277, 297, 317, 342, 363, 383, 408, 428,
                                                 447, 466, 478, 503, 528, 546, 571, 591, 612};

constexpr std::string_view kTitle = "cris split 1", kHashLabel = "sha256 ";

std::string split_body(const Split& split) {
  std::string text = "# " + split.protocol + "\n";
  const auto section = [&](const char* title, const std::vector<std::string>& names) {
    text += fmt::format("[{} {}]\n", title, names.size());
    for (const std::string& n : names) text += n + "\n";
  };
  section("training", split.training);
  section("validation", split.validation);
  section("test", split.test);
  return text;
}

}  // namespace

Split random_split(std::vector<std::string> names, uint64_t seed, const SplitShares& shares) {
  std::sort(names.begin(), names.end());
  check_distinct(names);
  const auto [validation, test] = targets(int64_t(names.size()), shares);
  tensor::shuffle(names, {.seed = seed, .stream = kSplitStream, .step = 0});
  const auto test_end = names.begin() + test, validation_end = test_end + validation;
  return {.training = {validation_end, names.end()},
          .validation = {test_end, validation_end},
          .test = {names.begin(), test_end},
          .protocol = fmt::format("random, seed {}, validation {}, test {}", seed, shares.validation, shares.test)};
}

Split grouped_split(const std::vector<std::string>& names, const std::vector<int>& groups, uint64_t seed,
                    const SplitShares& shares) {
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  check_distinct(sorted);
  const std::vector<std::vector<std::string>> lists = shuffled_groups(names, groups, seed, 1);
  const auto [validation, test] = targets(int64_t(names.size()), shares);
  Split split{.training = {},
              .validation = {},
              .test = {},
              .protocol = fmt::format("{} whole groups, seed {}, validation {}, test {}", lists.size(), seed,
                                      shares.validation, shares.test)};
  for (const std::vector<std::string>& list : lists) {
    const auto comes_closer = [&](const std::vector<std::string>& to, int64_t wanted) {
      const auto now = int64_t(to.size()), then = now + int64_t(list.size());
      return std::abs(then - wanted) < std::abs(now - wanted);
    };
    auto& to = comes_closer(split.test, test)               ? split.test
               : comes_closer(split.validation, validation) ? split.validation
                                                            : split.training;
    to.insert(to.end(), list.begin(), list.end());
  }
  return split;
}

std::vector<Split> fold_splits(const std::vector<std::string>& names, const std::vector<int>& groups, uint64_t seed,
                               int64_t k) {
  const std::vector<std::vector<std::string>> lists = shuffled_groups(names, groups, seed, 2);
  require_data(k >= 3 && k <= int64_t(lists.size()),
               "split: {} folds; 3 to {} are possible, one to test, one to validate and one to train", k, lists.size());
  std::vector<std::vector<std::string>> part(static_cast<size_t>(k));
  for (const std::vector<std::string>& list : lists) {
    const auto least = std::ranges::min_element(part, {}, [](const auto& p) { return p.size(); });
    least->insert(least->end(), list.begin(), list.end());
  }
  std::vector<Split> splits;
  for (size_t i = 0; i < part.size(); ++i) {
    const size_t validation = (i + 1) % part.size();
    Split s{.training = {},
            .validation = part[validation],
            .test = part[i],
            .protocol = fmt::format("fold {} of {}, seed {}", i + 1, k, seed)};
    for (size_t j = 0; j < part.size(); ++j)
      if (j != i && j != validation) s.training.insert(s.training.end(), part[j].begin(), part[j].end());
    splits.push_back(std::move(s));
  }
  return splits;
}

std::vector<std::string> read_name_list(const std::string& path) {
  constexpr const char* kBlanks = " \t\r";
  std::vector<std::string> names;
  int64_t number = 0;
  for (std::string line : lines_of(read_data_file(path))) {
    if (number++ == 0 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);  // a mark of UTF-8
    require_data(is_plain_text(line.substr(0, line.find_last_not_of(kBlanks) + 1)),
                 "{}:{}: a control character, or not UTF-8; save the list as plain text", path, number);
    line.erase(line.find_last_not_of(kBlanks) + 1).erase(0, line.find_first_not_of(kBlanks));
    if (!line.empty() && line[0] != '#') names.push_back(line);
  }
  require_data(!names.empty(), "{}: no name in it; write one a line", path);
  return names;
}

Split listed_split(const std::vector<std::string>& names, const NameLists& lists, uint64_t seed, double validation) {
  const std::set<std::string> known(names.begin(), names.end());
  std::map<std::string, std::string> listed;  // name -> the file that lists it
  const auto read = [&](const std::string& path) {
    std::vector<std::string> found;
    if (path.empty()) return found;
    for (const std::string& line : read_name_list(path)) {
      const std::string file = line.substr(line.find_last_of("/\\") + 1), name = known.contains(line) ? line
                                                                                 : known.contains(file)
                                                                                     ? file
                                                                                     : base_name(file);
      require_data(known.contains(name),
                   "{} names \"{}\", which the data set does not hold; is it the list of another?", path, line);
      const auto [at, fresh] = listed.emplace(name, path);
      require_data(fresh, "{} names \"{}\", and so does {}; a name belongs to one part", path, name, at->second);
      found.push_back(name);
    }
    return found;
  };
  Split s{
      .training = read(lists.training), .validation = read(lists.validation), .test = read(lists.test), .protocol = {}};
  const auto last = [](const std::string& path) { return path.substr(path.find_last_of('/') + 1); };
  s.protocol = fmt::format(
      "lists {} (training), {} (validation), {} (test)", last(lists.training),
      lists.validation.empty() ? fmt::format("{} of these, seed {}", validation, seed) : last(lists.validation),
      lists.test.empty() ? "the rest" : last(lists.test));
  if (lists.test.empty())
    for (const std::string& name : known)
      if (!listed.contains(name)) s.test.push_back(name);
  if (lists.validation.empty()) {
    std::sort(s.training.begin(), s.training.end());
    tensor::shuffle(s.training, {.seed = seed, .stream = kSplitStream, .step = 3});
    const auto share = std::ptrdiff_t(std::llround(double(s.training.size()) * validation));
    s.validation.assign(s.training.begin(), s.training.begin() + share);
    s.training.erase(s.training.begin(), s.training.begin() + share);
  }
  for (const auto& [part, size] :
       {std::pair{"training", s.training.size()}, {"validation", s.validation.size()}, {"test", s.test.size()}})
    require_data(size > 0, "the lists leave no {} images", part);
  return s;
}

int cvc_clinicdb_sequence(int64_t frame) {
  tensor::check(frame >= 1 && frame <= kLastFrames.back(), "CVC-ClinicDB has frames 1 to {}, not {}",
                kLastFrames.back(), frame);
  return int(std::lower_bound(kLastFrames.begin(), kLastFrames.end(), frame) - kLastFrames.begin());
}

std::vector<int> cvc_clinicdb_groups(const std::vector<std::string>& names) {
  std::vector<int> groups;
  for (const std::string& name : names) {
    int64_t frame = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), frame);
    require_data(error == std::errc() && end == name.data() + name.size() && frame >= 1 && frame <= kLastFrames.back(),
                 "\"{}\" is not a frame of CVC-ClinicDB (1 to {}); use a random split for this data set", name,
                 kLastFrames.back());
    groups.push_back(cvc_clinicdb_sequence(frame));
  }
  return groups;
}

std::string split_hash(const Split& split) { return sha256(split_body(split)); }

std::string split_text(const Split& split) {
  const std::string body = split_body(split);
  return fmt::format("{}\n{}{}\n{}", kTitle, kHashLabel, sha256(body), body);
}

void write_split(const std::string& path, const Split& split) {
  tensor::write_file_atomically(path, split_text(split));
}

Split read_split(const std::string& path) {
  const std::string text = read_data_file(path);
  constexpr const char* kRemedy = "make it again with `cris data split`";
  std::string_view rest = text;
  const auto next_line = [&] {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
  };
  require_data(next_line() == kTitle, "{}: not a split file (its first line is not \"{}\"); {}", path, kTitle, kRemedy);
  const std::string_view hash = next_line();
  require_data(hash.starts_with(kHashLabel) && hash.substr(kHashLabel.size()) == sha256(rest),
               "{}: the split was changed after it was written (its SHA-256 differs); {}", path, kRemedy);
  Split split;
  const std::string_view protocol = next_line();
  require_data(protocol.starts_with("# "), "{}: the line about the protocol is missing; {}", path, kRemedy);
  split.protocol = protocol.substr(2);
  const bool shared = split.protocol.starts_with(kSharedParts);
  std::set<std::string_view> seen;
  for (const auto& [title, list] :
       {std::pair{"training", &split.training}, {"validation", &split.validation}, {"test", &split.test}}) {
    const std::string_view heading = next_line();
    const std::string start = fmt::format("[{} ", title);
    size_t count = 0;
    const bool ok =
        heading.starts_with(start) &&
        std::from_chars(heading.data() + start.size(), heading.data() + heading.size(), count).ec == std::errc();
    require_data(ok, "{}: \"{}\" stands where the {} names begin; {}", path, heading, title, kRemedy);
    if (shared) seen.clear();
    for (; count > 0; --count) {
      const std::string_view line = next_line();
      require_data(!line.empty(), "{}: the list of {} names is too short; {}", path, title, kRemedy);
      require_data(seen.insert(line).second, "{}: the name \"{}\" occurs twice; {}", path, line, kRemedy);
      list->emplace_back(line);
    }
  }
  require_data(rest.empty(), "{}: more follows the last name; {}", path, kRemedy);
  return split;
}

}  // namespace data
