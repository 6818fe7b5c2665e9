/// Which pairs train, validate and test: seeded random splits, splits by whole sequences, and the files that keep them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tensor/names.h"

namespace data {

/// How the protocol of a split begins whose parts share their images.
constexpr const char* kSharedParts = "overfit, ";

/// Names of pairs, each list in the order of the shuffle. No name occurs twice; with a protocol that begins with
/// kSharedParts, none twice in one list.
struct Split {
  std::vector<std::string> training, validation, test;
  std::string protocol;  ///< how it was made, one line for people
  bool operator==(const Split&) const = default;
};

/// random: pairs one by one, as in the paper. sequences: CVC-ClinicDB's sequences of frames, each as a whole.
enum class Protocol { random, sequences };
constexpr auto names(Protocol) { return tensor::Names{"protocol", {"random", "sequences"}}; }

/// Shares of validation and test; the rest trains.
struct SplitShares {
  double validation = 0.15, test = 0.15;
};

/// Names sorted, shuffled by Fisher-Yates on Philox(seed), then: test first, validation next, the rest training; test
/// and validation have round(share n) names. Kvasir-SEG: 700/150/150, CVC-ClinicDB: 428/92/92. Throws Error if a share
/// is negative, both reach 1, or a name occurs twice.
Split random_split(std::vector<std::string> names, uint64_t seed, const SplitShares& shares = {});

/// As random_split, but whole groups are shuffled and handed out: a group goes to the test set, then to the validation
/// set, where it brings the size closer to the wanted one. groups[i] is the group of names[i].
Split grouped_split(const std::vector<std::string>& names, const std::vector<int>& groups, uint64_t seed,
                    const SplitShares& shares = {});

/// k splits for cross-validation: the groups, shuffled, are dealt to k parts, each to the one with the fewest names so
/// far; split i tests on part i, validates on the one after it, and trains on the rest. Every name is tested once.
/// Throws Error unless k is 3 to the number of groups.
std::vector<Split> fold_splits(const std::vector<std::string>& names, const std::vector<int>& groups, uint64_t seed,
                               int64_t k);

/// Names in a file, one a line; blank lines and lines that begin with # are passed over. Throws FormatError.
std::vector<std::string> read_name_list(const std::string& path);
/// The split that lists of names make: a line may be a name of `names`, or a path to its file. Without a list for
/// validation, `validation` of the training names, shuffled by seed, validate; without one for testing, the rest of
/// `names` tests. Throws FormatError for a name that is not there, or is in two lists, or where a part stays empty.
struct NameLists {
  std::string training, validation, test;  ///< files; empty: none
};
Split listed_split(const std::vector<std::string>& names, const NameLists& lists, uint64_t seed, double validation);

/// The sequence, 0..28, of a frame of CVC-ClinicDB, 1..612. Neighbouring frames are near-duplicates, so a random split
/// leaks. Throws Error for other frames. Source: the data set's table of sequences.
int cvc_clinicdb_sequence(int64_t frame);
/// cvc_clinicdb_sequence of every name. Throws FormatError if a name is not the number of a frame.
std::vector<int> cvc_clinicdb_groups(const std::vector<std::string>& names);

/// The split as text: a header with the SHA-256 of all that follows it, then a section for each list, a name a line.
std::string split_text(const Split& split);
/// The SHA-256 in that header: the split's fingerprint.
std::string split_hash(const Split& split);
/// Written whole or not at all.
void write_split(const std::string& path, const Split& split);
/// Throws FormatError if the file is not a split, was changed after it was written (its hash differs), or a name occurs
/// twice where it must not.
Split read_split(const std::string& path);

}  // namespace data
