/// What is known of a network by its kind alone.
#include "cris/backbone.h"

namespace cris {

int64_t default_base(BackboneKind kind) { return kind == BackboneKind::unet_plus_plus ? 32 : 64; }

int64_t size_multiple(BackboneKind kind) { return kind == BackboneKind::segnet ? 32 : 16; }

void check_image(BackboneKind kind, const tensor::Shape& image, int64_t channels) {
  const int64_t multiple = size_multiple(kind);
  tensor::check(image.rank() == 4 && image[3] == channels, "{}: needs images [N,H,W,{}], not {}", name(kind), channels,
                image);
  tensor::check(image[0] > 0 && image[1] > 0 && image[2] > 0 && image[1] % multiple == 0 && image[2] % multiple == 0,
                "{}: image {}: height and width must be multiples of {}; choose such a size", name(kind), image,
                multiple);
}

}  // namespace cris
