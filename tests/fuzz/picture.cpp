/// Any bytes are a picture or are refused with their name; the remaining promises are the sanitizers' to check.
#include "data/format_error.h"
#include "data/image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  for (const int channels : {1, 3}) try {
      data::Remarks remarks;
      const data::Image image =
          data::decode_image({reinterpret_cast<const char*>(bytes), size}, "fuzzed", channels, &remarks);
      if (int64_t(image.pixels.size()) != image.height * image.width * channels || image.pixels.empty())
        __builtin_trap();
    } catch (const data::FormatError&) {
    }
  return 0;
}
