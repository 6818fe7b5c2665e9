/// Whole networks on the cpu follow the reference.
#include <doctest/doctest.h>

#include "tensor/machine/threads.h"
#include "tensor/precision.h"
#include "tensor/relative_error.h"
#include "three_steps.h"

using namespace three_steps;

TEST_CASE("three training steps of every network on the cpu follow the reference, by any number of threads") {
  const int threads = tensor::threads();
  tensor::set_precision(tensor::Precision::exact);
  for (const BackboneKind kind : {BackboneKind::unet, BackboneKind::unet_plus_plus, BackboneKind::segnet}) {
    const std::string network = name(kind);
    CAPTURE(network);
    const std::vector<double> want = trained(kind, Strategy::cris, Device::reference, DType::f64);
    CHECK(trained(kind, Strategy::cris, Device::cpu, DType::f64) == want);
    tensor::set_threads(1);
    const std::vector<double> got = trained(kind, Strategy::cris, Device::cpu);
    // In some of SegNet's windows two maxima nearly tie, and rounding decides which one wins.
    CHECK(tensor::relative_error(got, want) < (kind == BackboneKind::segnet ? 5e-3 : 1e-5));
    tensor::set_threads(3);
    CHECK(trained(kind, Strategy::cris, Device::cpu) == got);
    tensor::set_threads(threads);
  }
  tensor::set_precision(tensor::Precision::f32);
}
