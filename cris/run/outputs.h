/// What a command is about to write, compared with what it reads and with what is there, before it writes anything.
///
/// The rule: a command replaces only files that cris made, and never one that it reads, one in images/ or masks/ of a
/// data set, or one of a run's own. Pictures, pages, splits and tensor files that cris makes say so in their first
/// bytes.
#pragma once
#include <string>
#include <vector>

namespace cris {

/// Throws data::FormatError when the file or folder `path` lies in images/ or masks/ of a data set or is one of the
/// files or folders that a run keeps its own in. Links are followed.
void check_place(const std::string& path);
/// Throws data::FormatError when one of the files `outputs` is one of `inputs` (whatever links lead to it), is named
/// twice, or would replace a file that cris did not make and that is not empty.
void check_files(const std::vector<std::string>& outputs, const std::vector<std::string>& inputs = {});
/// Both for every output. What killed processes left half-written of them is removed.
void check_outputs(const std::vector<std::string>& outputs, const std::vector<std::string>& inputs = {});

/// Whether the file is a JSON object with these names, as this program writes it there.
bool has_keys(const std::string& path, const std::vector<std::string>& names);
/// Whether the file says in its first bytes that this program made it.
bool made_by_cris(const std::string& path);

}  // namespace cris
