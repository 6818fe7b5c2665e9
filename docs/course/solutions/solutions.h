/// The answers to the exercises, each computed as a student would: by the library.
#pragma once
#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

namespace course {

/// In the order of the chapter's exercises, as text.
using Answers = std::vector<std::string>;

/// Whole numbers with all their digits, others with six.
inline std::string number(double value) {
  return value == std::round(value) ? fmt::format("{:.0f}", value) : fmt::format("{:.6g}", value);
}

Answers chapter_tensor();
Answers chapter_gradients();
Answers chapter_an_op();
Answers chapter_is_it_right();
Answers chapter_learning();
Answers chapter_networks();
Answers chapter_cris();
Answers chapter_mean_field();
Answers chapter_measuring();
Answers chapter_fast_on_a_cpu();
Answers chapter_cuda();
Answers chapter_study();

/// By chapter.
constexpr Answers (*kChapters[])() = {chapter_tensor,    chapter_gradients,     chapter_an_op, chapter_is_it_right,
                                      chapter_learning,  chapter_networks,      chapter_cris,  chapter_mean_field,
                                      chapter_measuring, chapter_fast_on_a_cpu, chapter_cuda,  chapter_study};

}  // namespace course
