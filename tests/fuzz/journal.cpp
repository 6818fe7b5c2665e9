/// A journal of trials is read, and written again it reads the same, or it is refused.
#include "cris/study/journal.h"
#include "tensor/check.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) try {
  const cris::JournalContent journal = cris::read_journal(MemoryFile(bytes, size).path);
  std::string text;
  for (const cris::JournalLine& line : journal.lines) text += cris::journal_text(line);
  const cris::JournalContent again = cris::read_journal(MemoryFile(text).path);
  if (again.lines.size() != journal.lines.size() || again.state.study_names() != journal.state.study_names())
    __builtin_trap();
  return 0;
} catch (const tensor::Error&) {
  return 0;
}
