/// The headers of checkpoints, manifests, evaluations: a text is a JSON value of little depth, or it is refused.
#include "nn/json_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) try {
  const auto value = nn::parse_json<nlohmann::json>(std::string(reinterpret_cast<const char*>(bytes), size));
  if (nlohmann::json::parse(value.dump()) != value) __builtin_trap();
  return 0;
} catch (const tensor::Error&) {
  return 0;
}
