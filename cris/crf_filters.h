/// The bilateral filters of whole data sets, built before they are asked for.
#pragma once
#include <memory>

#include "cris/crf.h"
#include "data/loader.h"

namespace cris {

/// Has the layer build and keep the filters of all images of the store, several a thread at a time: some take a few
/// times as long as others, so that of the few in a batch one thread would often wait for another's last. Ends early
/// once a group adds none to those kept: they were there already, or there is no more room. Throws data::FormatError
/// for a bad image.
void build_filters(Crf& crf, std::shared_ptr<data::SampleStore> store);

}  // namespace cris
