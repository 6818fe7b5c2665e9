/// Shape, and the messages of check.
#include "tensor/shape.h"

#include "expect.h"

using namespace tensor;

TEST_CASE("shape: extents, counts and printing") {
  const Shape s{2, 64, 48, 3};
  CHECK(s.rank() == 4);
  CHECK(s[1] == 64);
  CHECK(s[-1] == 3);
  CHECK(s.count() == 2 * 64 * 48 * 3);
  CHECK(Shape{}.count() == 1);
  CHECK(Shape{4, 0, 2}.count() == 0);
  CHECK(fmt::format("{}", s) == "[2, 64, 48, 3]");
  CHECK(fmt::format("{}", Shape{}) == "[]");
  CHECK(s.with(-1, 5) == Shape{2, 64, 48, 5});
  CHECK(s.with(0, 1) == Shape{1, 64, 48, 3});
  CHECK_FALSE(Shape{2, 3} == Shape{2, 3, 1});
  CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
}

TEST_CASE("shape: what cannot be is refused by name") {
  CHECK_REFUSED((Shape{1, -2}), "-2");
  CHECK_REFUSED((Shape{1, 1, 1, 1, 1, 1, 1}), "more than 6 axes");
  CHECK_REFUSED(Shape({2, 3})[2], "[2, 3] has no axis 2");
  CHECK_REFUSED(Shape({2, 3})[-3], "no axis -3");
}

TEST_CASE("check: the message is formatted and names the file and the line of the caller") {
  const int line = __LINE__ + 1;
  const std::string text = message_of([] { check(false, "conv2d: {} is not {}", Shape{1, 2}, 7); });
  CHECK(text == fmt::format("conv2d: [1, 2] is not 7 (shape.cpp:{})", line));
  CHECK_NOTHROW(check(true, "never {}", 1));
}

TEST_CASE("require: the message is formatted and names no line") {
  CHECK(message_of([] { require(false, "{}: {} is too many", "x.csv", 7); }) == "x.csv: 7 is too many");
  CHECK_NOTHROW(require(true, "never {}", 1));
}
