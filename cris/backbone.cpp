/// Names of the backbones, and the factory.
#include "cris/backbone.h"

#include "cris/segnet.h"
#include "cris/unet.h"
#include "cris/unet_plus_plus.h"

namespace cris {

int64_t default_base(BackboneKind kind) { return kind == BackboneKind::unet_plus_plus ? 32 : 64; }

int64_t size_multiple(BackboneKind kind) { return kind == BackboneKind::segnet ? 32 : 16; }

std::unique_ptr<Backbone> make_backbone(const BackboneOptions& given) {
  BackboneOptions o = given;
  if (o.base == 0) o.base = default_base(o.kind);
  tensor::check(o.base > 0 && o.base <= 4096, "{}: base width {} is outside 1 to 4096", name(o.kind), o.base);
  tensor::check(!o.deep_supervision || o.kind == BackboneKind::unet_plus_plus,
                "{}: deep supervision is an option of unet++ only", name(o.kind));
  switch (o.kind) {
    case BackboneKind::unet:
      return std::make_unique<UNet>(o);
    case BackboneKind::unet_plus_plus:
      return std::make_unique<UNetPlusPlus>(o);
    case BackboneKind::segnet:
      return std::make_unique<SegNet>(o);
  }
  throw tensor::Error("make_backbone: no such kind");
}

}  // namespace cris
