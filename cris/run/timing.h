/// What a run's timing.jsonl says of its training: measurements, which no other number depends on.
#pragma once
#include <cstdint>
#include <string>

namespace cris {

struct Timing {
  int64_t epochs = 0;              ///< that were trained and timed
  double seconds = 0;              ///< of them all, validation included
  double network_ms_an_image = 0;  ///< the median over the epochs' validations; 0 where the file does not say
};
/// Lines that are damaged or without end are passed over; a run without the file has none. Throws Error when it cannot
/// be read.
Timing read_timing(const std::string& run);

}  // namespace cris
