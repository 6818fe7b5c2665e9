/// Where the channels of an image lie.
#pragma once
#include <cstdint>

#include "tensor/parts.h"
#include "tensor/tensor.h"

namespace tensor::cpu {

/// Channels [first, first + channels) of an image: those of pixel i lie at data[i * channels]. Kernels that take
/// several need whole vectors of channels in each. T: float, or const float of an image that is read.
template <class T>
struct ImagePart {
  T* data;
  int64_t first, channels;
};
using ImageIn = Parts<ImagePart<const float>>;
using ImageOut = Parts<ImagePart<float>>;

/// An image of `channels` channels in one piece.
template <class T>
Parts<ImagePart<T>> whole_image(T* data, int64_t channels) {
  return ImagePart<T>{data, 0, channels};
}

/// The parts of x.
template <class T>
Parts<ImagePart<T>> image_parts(const Parts<Tensor>& x) {
  std::vector<ImagePart<T>> parts;
  int64_t first = 0;
  for (const Tensor& part : x) {
    parts.push_back({part.data<float>(), first, part.shape()[-1]});
    first += parts.back().channels;
  }
  return Parts(std::move(parts));
}

}  // namespace tensor::cpu
