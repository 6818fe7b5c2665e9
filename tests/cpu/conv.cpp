/// How the CPU convolves: which algorithm serves which shape, images in parts, workspace. Its results are
/// in the table of kernel cases.
#include "tensor/cpu/conv/conv.h"

#include "tensor/conv_parts.h"
#include "tensor/machine/allocator.h"
#include "tensor/precision.h"
#include "tests/tensor/expect.h"
#include "tests/threads.h"

using namespace tensor;

namespace {

Tensor random_values(const Shape& shape, uint64_t seed) {
  return normal({.seed = seed}, shape, 0, 1, DType::f32, Device::cpu);
}

struct ConvExtents {
  int64_t n, h, w, c, k, kernel, stride, padding;
};

ConvShape shape_of(const ConvExtents& t) {
  return conv_shape({t.n, t.h, t.w, t.c}, {t.k, t.kernel, t.kernel, t.c}, {.stride = t.stride, .padding = t.padding});
}

}  // namespace

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
    CHECK(backend(Device::cpu).takes_parts(z, t.channels, DType::f32) == t.taken);
    std::vector<Tensor> parts;
    for (const int64_t c : t.channels) parts.push_back(random_values({z.n, z.h, z.w, c}, 6 + parts.size()));
    const Tensor x = concat(parts), w = random_values({z.k, z.r, z.s, z.c}, 2), b = random_values({z.k}, 4);
    const Tensor dy = random_values({z.n, z.p, z.q, z.k}, 3);
    for (const int count : {1, 3}) {
      const Threads set(count);
      CHECK(conv2d(Parts(parts), w, b, options, Activation::relu).to_vector() ==
            conv2d(x, w, b, options, Activation::relu).to_vector());
      CHECK(conv2d_grad_weight(dy, Parts(parts), w.shape(), options).to_vector() ==
            conv2d_grad_weight(dy, x, w.shape(), options).to_vector());
      CHECK(concat(conv2d_grad_parts(dy, w, x.shape(), t.channels, options)).to_vector() ==
            conv2d_grad_input(dy, w, x.shape(), options).to_vector());
    }
  }
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

TEST_CASE("the stated workspace is what a convolution takes") {
  for (const ConvExtents& t : std::initializer_list<ConvExtents>{{2, 32, 32, 64, 64, 3, 1, 1},
                                                                 {2, 32, 32, 16, 16, 5, 1, 2},
                                                                 {2, 32, 32, 16, 16, 7, 1, 3},
                                                                 {2, 32, 32, 48, 16, 7, 1, 3},
                                                                 {2, 32, 32, 16, 1, 7, 1, 3}}) {
    const ConvShape z = shape_of(t);
    const Tensor x = random_values({z.n, z.h, z.w, z.c}, 1), w = random_values({z.k, z.r, z.s, z.c}, 2);
    const Tensor y({z.n, z.p, z.q, z.k}, DType::f32, Device::cpu);
    reset_peak_memory(Device::cpu);
    const int64_t before = memory_stats(Device::cpu).live;
    backend(Device::cpu).conv2d(z, x, w, {}, Activation::none, y);
    const int64_t taken = memory_stats(Device::cpu).peak_live - before;
    CHECK(std::abs(taken - cpu::conv_workspace_bytes(z, ConvPass::forward)) <= 256);
  }
}
