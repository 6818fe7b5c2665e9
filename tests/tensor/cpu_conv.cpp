/// The fast convolutions and the matrix product against the f64 reference, on awkward shapes and on Winograd's, in
/// every precision of the CPU, and their independence of the number of threads.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tensor/backend.h"
#include "tensor/conv_parts.h"
#include "tensor/cpu/conv/conv.h"
#include "tensor/machine/allocator.h"
#include "tensor/machine/threads.h"
#include "tensor/ops.h"
#include "tensor/precision.h"

using namespace tensor;

namespace {

Tensor random_values(const Shape& shape, uint64_t seed) {
  Tensor t(shape, DType::f32, Device::cpu);
  reference_backend().fill_normal({.seed = seed}, 0, 1, t);
  return t;
}
Tensor as_f64(const Tensor& t) {
  if (!t.defined()) return {};
  Tensor y(t.shape(), DType::f64, Device::cpu);
  reference_backend().cast(t, y);
  return y;
}
Tensor poisoned(const Shape& shape, DType dtype = DType::f32) {
  Tensor t(shape, dtype, Device::cpu);
  reference_backend().fill(std::numeric_limits<double>::quiet_NaN(), t);
  return t;
}
/// |got - want| / |want|.
double relative_error(const Tensor& got, const Tensor& want) {
  const std::vector<double> a = got.to_vector(), b = want.to_vector();
  double error = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) error += (a[i] - b[i]) * (a[i] - b[i]), norm += b[i] * b[i];
  return norm > 0 ? std::sqrt(error / norm) : std::sqrt(error);
}

struct ConvExtents {
  int64_t n, h, w, c, k, kernel, stride, padding;
};

ConvShape shape_of(const ConvExtents& t) {
  return conv_shape({t.n, t.h, t.w, t.c}, {t.k, t.kernel, t.kernel, t.c}, {.stride = t.stride, .padding = t.padding});
}

double bound_of(cpu::ConvAlgorithm algorithm) {
  switch (algorithm) {
    case cpu::ConvAlgorithm::winograd_4x4_3x3:
    case cpu::ConvAlgorithm::winograd_4x4_7x7:
      return 5e-6;
    case cpu::ConvAlgorithm::winograd_4x4_5x5:
      return 8e-6;
    default:
      return 2e-6;
  }
}

/// The three passes of one shape by `backend`, results poisoned first.
struct Passes {
  Tensor y, plain, dx, dx_plain, dw;
  Passes(Backend& backend, const ConvShape& z, DType dtype, const Tensor& x, const Tensor& w, const Tensor& dy,
         const Tensor& b_k, const Tensor& b_c) {
    const Shape ys{z.n, z.p, z.q, z.k}, xs{z.n, z.h, z.w, z.c};
    y = poisoned(ys, dtype), plain = poisoned(ys, dtype), dx = poisoned(xs, dtype), dx_plain = poisoned(xs, dtype);
    dw = poisoned({z.k, z.r, z.s, z.c}, dtype);
    backend.conv2d(z, x, w, b_k, Activation::relu, y);
    backend.conv2d(z, x, w, {}, Activation::none, plain);
    backend.conv2d_grad_input(z, dy, w, b_c, dx);
    backend.conv2d_grad_input(z, dy, w, {}, dx_plain);
    backend.conv2d_grad_weight(z, dy, x, dw);
  }
  std::vector<Tensor> all() const { return {y, plain, dx, dx_plain, dw}; }
};

void compare(const ConvExtents& t) {
  const std::string label = fmt::format("{}x{}x{}x{} to {}, kernel {}, stride {}, padding {}", t.n, t.h, t.w, t.c, t.k,
                                        t.kernel, t.stride, t.padding);
  CAPTURE(label);
  const ConvShape z = shape_of(t);
  const Tensor x = random_values({z.n, z.h, z.w, z.c}, 1), w = random_values({z.k, z.r, z.s, z.c}, 2);
  const Tensor dy = random_values({z.n, z.p, z.q, z.k}, 3), b_k = random_values({z.k}, 4),
               b_c = random_values({z.c}, 5);
  const std::vector<Tensor> want =
      Passes(reference_backend(), z, DType::f64, as_f64(x), as_f64(w), as_f64(dy), as_f64(b_k), as_f64(b_c)).all();
  for (const Precision p : {Precision::f32, Precision::exact}) {
    const std::string mode = name(p);
    CAPTURE(mode);
    set_precision(p);
    const double bound = bound_of(cpu::conv_algorithm(z, p));
    set_threads(1);
    const std::vector<Tensor> one = Passes(cpu_backend(), z, DType::f32, x, w, dy, b_k, b_c).all();
    set_threads(3);
    const std::vector<Tensor> three = Passes(cpu_backend(), z, DType::f32, x, w, dy, b_k, b_c).all();
    for (size_t i = 0; i < want.size(); ++i) {
      CAPTURE(i);
      CHECK(relative_error(one[i], want[i]) < bound);
      CHECK(one[i].to_vector() == three[i].to_vector());
    }
  }
  set_precision(Precision::f32);
  set_threads(2);
}

}  // namespace

TEST_CASE("convolution equals the reference on awkward shapes") {
  for (const ConvExtents& t : std::initializer_list<ConvExtents>{{1, 1, 1, 1, 1, 1, 1, 0},
                                                                 {1, 1, 1, 3, 5, 3, 1, 1},
                                                                 {2, 5, 7, 1, 16, 1, 1, 0},
                                                                 {2, 6, 5, 16, 1, 3, 1, 1},
                                                                 {1, 9, 6, 64, 1, 1, 1, 0},
                                                                 {1, 9, 6, 35, 2, 1, 1, 0},
                                                                 {3, 11, 9, 3, 17, 3, 1, 1},
                                                                 {2, 9, 13, 3, 64, 3, 1, 1},
                                                                 {2, 13, 31, 3, 48, 3, 2, 1},
                                                                 {1, 12, 12, 17, 33, 3, 1, 1},
                                                                 {1, 12, 12, 33, 17, 3, 2, 0},
                                                                 {2, 7, 9, 48, 65, 3, 1, 0},
                                                                 {1, 8, 8, 65, 70, 3, 3, 2},
                                                                 {1, 10, 7, 70, 3, 5, 2, 2},
                                                                 {2, 14, 15, 16, 16, 7, 1, 3},
                                                                 {2, 11, 15, 16, 16, 5, 1, 2},
                                                                 {2, 9, 9, 5, 6, 5, 1, 4},
                                                                 {2, 8, 6, 32, 48, 2, 2, 0},
                                                                 {2, 9, 7, 32, 16, 2, 2, 0},
                                                                 {1, 7, 9, 4, 3, 2, 3, 0},
                                                                 {1, 5, 5, 700, 9, 3, 1, 1},
                                                                 {1, 4, 4, 160, 200, 4, 4, 0},
                                                                 {3, 130, 5, 2, 2, 3, 1, 1},
                                                                 // beyond kWideProducts
                                                                 {2, 31, 29, 17, 33, 3, 1, 1},
                                                                 {4, 57, 61, 3, 17, 3, 2, 1},
                                                                 {1, 30, 31, 48, 65, 3, 1, 0},
                                                                 {3, 33, 31, 33, 17, 5, 2, 2},
                                                                 {1, 33, 34, 16, 16, 7, 1, 3},
                                                                 {2, 40, 42, 32, 48, 2, 2, 0},
                                                                 {2, 60, 51, 16, 1, 7, 1, 3},
                                                                 {1, 50, 47, 35, 34, 1, 1, 0}})
    compare(t);
}

TEST_CASE("convolution equals the reference on the shapes that Winograd serves") {
  for (const ConvExtents& t : std::initializer_list<ConvExtents>{{1, 8, 8, 64, 64, 3, 1, 1},
                                                                 {9, 7, 5, 16, 32, 3, 1, 1},
                                                                 {16, 6, 6, 16, 16, 3, 1, 1},
                                                                 {17, 2, 2, 48, 64, 3, 1, 1},
                                                                 {120, 1, 2, 32, 16, 3, 1, 1},
                                                                 {2, 50, 47, 48, 80, 3, 1, 1},
                                                                 {1, 130, 131, 32, 16, 3, 1, 1},
                                                                 {1, 12, 12, 272, 320, 3, 1, 1},
                                                                 {2, 40, 40, 128, 64, 3, 1, 1},
                                                                 {2, 50, 47, 16, 16, 5, 1, 2},
                                                                 {1, 64, 61, 48, 80, 5, 1, 2},
                                                                 {1, 12, 11, 272, 128, 5, 1, 2},
                                                                 {2, 50, 47, 16, 16, 7, 1, 3},
                                                                 {2, 8, 8, 32, 16, 7, 1, 3},
                                                                 {1, 21, 140, 16, 80, 7, 1, 3},
                                                                 {1, 20, 300, 48, 32, 7, 1, 3}})
    compare(t);
}

TEST_CASE("an image in parts gives the bits of the joined image") {
  struct Parted {
    ConvExtents shape;
    std::vector<int64_t> channels;
    bool taken = true;  // else joined first
  };
  for (const Parted& t : std::initializer_list<Parted>{{{2, 50, 47, 48, 80, 3, 1, 1}, {16, 32}},
                                                       {{9, 7, 5, 32, 32, 3, 1, 1}, {16, 16}},
                                                       {{17, 2, 2, 64, 64, 3, 1, 1}, {48, 16}},
                                                       {{1, 12, 12, 272, 320, 3, 1, 1}, {48, 144, 80}},
                                                       {{4, 8, 8, 256, 128, 3, 1, 1}, {128, 128}},
                                                       {{2, 40, 40, 112, 64, 3, 1, 1}, {16, 16, 16, 64}},
                                                       {{1, 320, 321, 64, 16, 3, 1, 1}, {32, 32}},  // past the caches
                                                       {{1, 64, 61, 48, 32, 5, 1, 2}, {16, 32}},
                                                       {{2, 50, 47, 48, 32, 7, 1, 3}, {16, 32}, false},
                                                       {{2, 50, 47, 64, 32, 3, 1, 1}, {34, 30}, false},
                                                       {{2, 9, 7, 5, 6, 3, 1, 1}, {2, 1, 2}, false}}) {
    const ConvShape z = shape_of(t.shape);
    const ConvOptions options{.stride = z.stride, .padding = z.padding};
    const std::string label = fmt::format("{}x{}x{}x{} to {}", z.n, z.h, z.w, z.c, z.k);
    CAPTURE(label);
    CHECK(cpu_backend().conv_in_parts()->takes(z, t.channels, DType::f32) == t.taken);
    std::vector<Tensor> parts;
    for (const int64_t c : t.channels) parts.push_back(random_values({z.n, z.h, z.w, c}, 6 + parts.size()));
    const Tensor x = concat(parts), w = random_values({z.k, z.r, z.s, z.c}, 2), b = random_values({z.k}, 4);
    const Tensor dy = random_values({z.n, z.p, z.q, z.k}, 3);
    for (const int count : {1, 3}) {
      set_threads(count);
      CHECK(conv2d(Parts(parts), w, b, options, Activation::relu).to_vector() ==
            conv2d(x, w, b, options, Activation::relu).to_vector());
      CHECK(conv2d_grad_weight(dy, Parts(parts), w.shape(), options).to_vector() ==
            conv2d_grad_weight(dy, x, w.shape(), options).to_vector());
      CHECK(concat(conv2d_grad_parts(dy, w, x.shape(), t.channels, options)).to_vector() ==
            conv2d_grad_input(dy, w, x.shape(), options).to_vector());
    }
  }
  set_threads(2);
}

TEST_CASE("Winograd serves the large layers, and nothing when the precision is exact") {
  const ConvShape large = shape_of({4, 64, 64, 64, 64, 3, 1, 1}), small = shape_of({16, 2, 2, 64, 64, 3, 1, 1});
  CHECK(cpu::conv_algorithm(large, Precision::f32) == cpu::ConvAlgorithm::winograd_4x4_3x3);
  CHECK(cpu::conv_algorithm(small, Precision::f32) == cpu::ConvAlgorithm::winograd_2x2_3x3);
  CHECK(cpu::conv_algorithm(large, Precision::exact) == cpu::ConvAlgorithm::direct);
  for (const int64_t kernel : {5, 7}) {
    const ConvShape refiner = shape_of({4, 128, 128, 16, 16, kernel, 1, kernel / 2});
    CHECK(cpu::conv_algorithm(refiner, Precision::f32) ==
          (kernel == 5 ? cpu::ConvAlgorithm::winograd_4x4_5x5 : cpu::ConvAlgorithm::winograd_4x4_7x7));
    CHECK(cpu::conv_algorithm(refiner, Precision::exact) == cpu::ConvAlgorithm::direct);
  }
  CHECK(cpu::conv_algorithm(shape_of({4, 64, 64, 80, 64, 7, 1, 3}), Precision::f32) == cpu::ConvAlgorithm::direct);
  CHECK(cpu::conv_algorithm(shape_of({4, 64, 64, 65, 64, 3, 1, 1}), Precision::f32) == cpu::ConvAlgorithm::direct);
}

TEST_CASE("small convolutions are summed in f64: only the result is rounded") {
  const ConvExtents t{2, 4, 4, 64, 32, 3, 1, 1};
  const ConvShape z = shape_of(t);
  CHECK(cpu::conv_algorithm(z, Precision::f32) == cpu::ConvAlgorithm::direct);
  const Tensor x = random_values({z.n, z.h, z.w, z.c}, 1), w = random_values({z.k, z.r, z.s, z.c}, 2);
  const Tensor got = poisoned({z.n, z.p, z.q, z.k}), want = poisoned({z.n, z.p, z.q, z.k}, DType::f64);
  cpu_backend().conv2d(z, x, w, {}, Activation::none, got);
  reference_backend().conv2d(z, as_f64(x), as_f64(w), {}, Activation::none, want);
  CHECK(relative_error(got, want) < 0x1p-24);
}

TEST_CASE("the stated workspace is what a convolution takes") {
  for (const ConvExtents& t : std::initializer_list<ConvExtents>{{2, 32, 32, 64, 64, 3, 1, 1},
                                                                 {2, 32, 32, 16, 16, 5, 1, 2},
                                                                 {2, 32, 32, 16, 16, 7, 1, 3},
                                                                 {2, 32, 32, 48, 16, 7, 1, 3},
                                                                 {2, 32, 32, 16, 1, 7, 1, 3}}) {
    const ConvShape z = shape_of(t);
    const Tensor x = random_values({z.n, z.h, z.w, z.c}, 1), w = random_values({z.k, z.r, z.s, z.c}, 2),
                 y = poisoned({z.n, z.p, z.q, z.k});
    reset_peak_memory(Device::cpu);
    const int64_t before = memory_stats(Device::cpu).live;
    cpu_backend().conv2d(z, x, w, {}, Activation::none, y);
    const int64_t taken = memory_stats(Device::cpu).peak_live - before;
    CHECK(std::abs(taken - cpu::conv_workspace_bytes(z, ConvPass::forward)) <= 256);
  }
}

TEST_CASE("matrix product equals the reference") {
  for (const auto [m, n, k] :
       {std::array<int64_t, 3>{1, 1, 1}, {5, 3, 7}, {97, 33, 65}, {24, 200, 1600}, {130, 16, 31}})
    for (const bool transpose_a : {false, true})
      for (const bool transpose_b : {false, true}) {
        const std::string label = fmt::format("{} {} {} {} {}", m, n, k, transpose_a, transpose_b);
        CAPTURE(label);
        const MatmulShape z{m, n, k, transpose_a, transpose_b};
        const Tensor a = random_values(transpose_a ? Shape{k, m} : Shape{m, k}, 1);
        const Tensor b = random_values(transpose_b ? Shape{n, k} : Shape{k, n}, 2);
        const Tensor got = poisoned({m, n}), want = poisoned({m, n}, DType::f64);
        cpu_backend().matmul(z, a, b, got);
        reference_backend().matmul(z, as_f64(a), as_f64(b), want);
        CHECK(relative_error(got, want) < 1e-6);
      }
}
