/// Images whose channels lie in several places, as kernels read and write them.
#pragma once
#include <cstdint>

#include "tensor/bfloat16.h"
#include "tensor/cuda/product_plan.h"
#include "tensor/host_device.h"
#include "tensor/parts.h"
#include "tensor/tensor.h"

namespace tensor::cuda {

/// Part i has channels [end of part i - 1, end[i]) of the image, whole packs of 32 where there are several parts.
template <class T>
struct ImageParts {
  static constexpr int kMost = ProductPlan::kMostParts;
  T* of[kMost];
  int end[kMost];

  struct Part {
    T* values;
    int first, channels;  ///< of the image's
  };
  HD Part holding(int channel) const {
    int i = 0, first = 0;
    while (channel >= end[i]) first = end[i++];
    return {of[i], first, end[i] - first};
  }
};

/// Of at most kMost tensors. T: BFloat16, or const.
template <class T>
ImageParts<T> image_parts(const Parts<Tensor>& x) {
  ImageParts<T> parts{};
  int channels = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    parts.of[i] = x[i].data<BFloat16>();
    parts.end[i] = channels += int(x[i].shape()[-1]);
  }
  return parts;
}

}  // namespace tensor::cuda
