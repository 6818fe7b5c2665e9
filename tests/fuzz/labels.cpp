/// What `cris crf --labels` reads: a picture is a map of at most 256 labels that is drawn as it was, or it is refused.
#include "cris/dense_crf.h"
#include "data/format_error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) try {
  const data::Image picture = data::decode_image({reinterpret_cast<const char*>(bytes), size}, "fuzzed", 3);
  const cris::LabelMap map = cris::label_map(picture, "fuzzed", size % 2 == 0);
  const data::Image drawn = cris::picture_of(map);
  for (size_t i = 0; i < picture.pixels.size(); ++i)  // gray maps are drawn gray
    if (drawn.pixels[drawn.channels == 3 ? i : i / 3] != picture.pixels[i]) __builtin_trap();
  if (int64_t(map.colours.size()) > cris::kMaxLabels) __builtin_trap();
  return 0;
} catch (const data::FormatError&) {
  return 0;
}
