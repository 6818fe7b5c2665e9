/// Operations refuse what does not fit, naming themselves, both shapes and what to do.
#include "expect.h"
#include "tensor/machine/threads.h"

using namespace tensor;

TEST_CASE("conv2d: errors") {
  const Tensor x = random_tensor({1, 4, 4, 3}, 1), w = random_tensor({8, 3, 3, 3}, 2);
  const Tensor thin = random_tensor({8, 3, 3, 2}, 3), wide = random_tensor({8, 5, 5, 3}, 4);
  CHECK_REFUSED(conv2d(x, thin, {}, {}), "conv2d: image [1, 4, 4, 3] has 3 channels, weight [8, 3, 3, 2] expects 2");
  CHECK_REFUSED(conv2d(x, w, random_tensor({3}, 5), {}), "bias [3] must be [8]");
  CHECK_REFUSED(conv2d(x, w, {}, {.stride = 0}), "stride 0");
  CHECK_REFUSED(conv2d(x, wide, {}, {}), "larger than image [1, 4, 4, 3]");
  CHECK_REFUSED(conv2d(x.reshape({4, 4, 3}), w, {}, {}), "[N, H, W, C]");
  CHECK_REFUSED(conv2d(x, cast(w, DType::f32), {}, {}), "f32; cast one");
  CHECK_REFUSED(conv2d(x, w.to(Device::cpu), {}, {}), "move one with to()");
  CHECK_REFUSED(conv2d(Parts<Tensor>({x, x.reshape({1, 2, 8, 3})}), w, {}, {}), "[1, 2, 8, 3] differ");
  CHECK_REFUSED(conv2d_grad_parts(x, w, {1, 4, 4, 3}, {1, 1}, {}), "expected [1, 2, 2, 8]");
  CHECK_REFUSED(conv2d_grad_parts(random_tensor({1, 2, 2, 8}, 3), w, {1, 4, 4, 3}, {1, 1}, {}),
                "do not have 3 channels");
  CHECK_REFUSED(conv2d_grad_input(x, w, {1, 4, 4, 3}, {}), "expected [1, 2, 2, 8]");
  CHECK_REFUSED(conv2d_grad_weight(x, x, {8, 3, 3, 3}, {}), "expected [1, 2, 2, 8]");
  CHECK_REFUSED(conv_transpose_shape({1, 4, 4, 3}, {8, 2, 2, 3}, {}), "expects 8");
  CHECK(conv_transpose_shape({1, 4, 5, 8}, {8, 2, 2, 3}, {.stride = 2}) == Shape{1, 8, 10, 3});
}

TEST_CASE("bf16: refused where cuda does not compute") {
  const Tensor f32 = cast(random_tensor({1, 4, 4, 3}, 1), DType::f32);
  for (const Device d : {Device::reference, Device::cpu}) {
    const Tensor x({1, 4, 4, 3}, DType::bf16, d), w = f32.to(d);
    const char* remedy = "not bf16, which only cuda computes with";
    CHECK_REFUSED(map(Relu{}, x), remedy);
    CHECK_REFUSED(conv2d(x, w, {}, {}), remedy);
    CHECK_REFUSED(cast(x, DType::f32), remedy);
    CHECK_REFUSED(cast(w, DType::bf16), remedy);
  }
  const Tensor planned({1, 4, 4, 3}, DType::bf16, Device::plan);
  CHECK_REFUSED(softmax(planned), "softmax: needs f32 or f64, not bf16");
  CHECK_REFUSED(conv2d(planned, Tensor({1, 3, 3, 3}, DType::f64, Device::plan), {}, {}),
                "holds bf16, [1, 3, 3, 3] holds f64; cast one");
}

TEST_CASE("windows: errors") {
  const Tensor x = random_tensor({1, 4, 4, 3}, 1);
  CHECK_REFUSED(max_pool(x, 5, 1), "[1, 4, 4, 3] is smaller than its 5 x 5 window");
  CHECK_REFUSED(max_pool(x, 16, 1), "kernel 16 must be 1 to 15");
  CHECK_REFUSED(max_pool_grad(x, x, {1, 4, 4, 3}, 2, 2), "expected [1, 2, 2, 3]");
  CHECK_REFUSED(max_unpool(max_pool(x, 2, 2).y, x, {1, 4, 4, 3}, 2, 2), "u8");
  CHECK_REFUSED(resize(x, 0, 4, ResizeMode::nearest), "0 x 4");
  CHECK_REFUSED(resize(x.reshape({48}), 4, 4, ResizeMode::nearest), "[48]");
}

TEST_CASE("rows and elements: errors") {
  const Tensor x = random_tensor({2, 6}, 1), y = random_tensor({3, 4}, 2), row = random_tensor({6}, 3);
  CHECK_REFUSED(zip(Add{}, x, y), "zip: second argument [3, 4] must be [2, 6]");
  CHECK_REFUSED(matmul(x, y), "inner extents differ: [2, 6] and [3, 4]");
  CHECK_REFUSED(matmul(x, y, true, false), "[2, 6]^T and [3, 4]");
  CHECK_REFUSED(map(Relu{}, cast(x, DType::i32)), "map: needs f32 or f64, not i32");
  CHECK_REFUSED(map(Relu{}, Tensor()), "undefined");
  CHECK_REFUSED(dropout({}, 1.0, x), "1 is not in [0, 1)");
  CHECK_REFUSED(concat({x, y}), "[2, 6] and [3, 4]");
  CHECK_REFUSED(concat({}), "nothing");
  CHECK_REFUSED(channels(x, 4, 3), "[4, 7) is not within [2, 6]");
  CHECK_REFUSED(batch_norm({x, row, row, row, y}), "beta [3, 4] must be [6]");
  CHECK_REFUSED(softmax_grad(y, x), "dy is [3, 4], expected [2, 6]");
  CHECK_REFUSED(adam_step({.step = 0}, x, x, x, x), "step 0 must count from 1");
  CHECK_REFUSED(sgd_step({}, y, x, x), "[3, 4], expected [2, 6]");
  CHECK_REFUSED(set_threads(0), "threads: 0");
}
