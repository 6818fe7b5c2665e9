/// Bilateral filters ahead of time.
#include "cris/crf_filters.h"

#include "tensor/backend.h"
#include "tensor/machine/threads.h"

namespace cris {

void build_filters(Crf& crf, std::shared_ptr<data::SampleStore> store) {
  constexpr int64_t kEach = 4;  // images a thread, so that waiting for the last one is a small part
  if (crf.filters()->limit_bytes() == 0) return;
  const tensor::Tensor& weight = crf.spatial_weight.value();
  data::Loader loader(std::move(store), {.batch = kEach * tensor::threads(), .shuffle = false, .prefetch = 1});
  loader.start(0);
  while (const auto batch = loader.next(weight.device())) {
    const int64_t before = crf.filters()->bytes();
    crf.bilateral_filters(tensor::cast(batch->x, weight.dtype()));
    if (crf.filters()->bytes() == before) return;
  }
}

}  // namespace cris
