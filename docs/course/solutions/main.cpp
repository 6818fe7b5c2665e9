/// course_solutions CHAPTER: its answers, one a line.
#include "docs/course/solutions/solutions.h"

int main(int argc, char** argv) {
  const int chapter = argc == 2 ? std::atoi(argv[1]) : 0;
  if (chapter < 1 || chapter > int(std::size(course::kChapters))) return 2;
  for (const std::string& answer : course::kChapters[chapter - 1]()) fmt::print("{}\n", answer);
}
