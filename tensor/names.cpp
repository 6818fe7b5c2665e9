/// Lists of choices, and the refusal of what is not among them.
#include "tensor/names.h"

#include "tensor/check.h"

namespace tensor {

std::string alternatives(const std::vector<std::string>& texts) {
  std::string list;
  for (size_t i = 0; i < texts.size(); ++i) list += (i == 0 ? "" : i + 1 == texts.size() ? " or " : ", ") + texts[i];
  return list;
}

void refuse_name(const char* kind, std::string_view text, const std::vector<std::string>& choices) {
  throw Error(fmt::format("{} \"{}\" is unknown: choose {}", kind, text, alternatives(choices)));
}

}  // namespace tensor
