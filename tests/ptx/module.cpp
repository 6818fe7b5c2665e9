/// The top level of a PTX file.
#include "tests/ptx/module.h"

#include "tests/ptx/memory.h"
#include "tests/ptx/text.h"

namespace ptx {
namespace {

/// ".global .align 8 .b8 name[16] = {1, 2}", ".const .f64 name = 0d..": bytes, or one number of `bytes`.
void read_global(Module& m, const std::string& statement) {
  const size_t equals = statement.find('='), bracket = statement.find('[');
  const std::vector<std::string> head = words(statement.substr(0, std::min(equals, bracket)));
  std::vector<std::string> values;
  if (equals != std::string::npos) {
    const size_t brace = statement.find('{', equals);
    values = parts(brace == std::string::npos ? statement.substr(equals + 1)
                                              : statement.substr(brace + 1, statement.rfind('}') - brace - 1));
  }
  if (head.size() < 3 || bracket == std::string::npos || head[head.size() - 2] != ".b8")
    throw std::runtime_error("ptx: only arrays of .b8 are read as global variables, not " + statement.substr(0, 80));
  const size_t bytes = std::stoul(statement.substr(bracket + 1));
  uint8_t* const at = static_cast<uint8_t*>(DeviceMemory::get().allocate(bytes));
  DeviceMemory::get().check_write(at, bytes);
  for (size_t i = 0; i < values.size(); ++i) at[i] = uint8_t(std::stoul(values[i], nullptr, 0));
  m.globals[head.back()] = reinterpret_cast<uint64_t>(at);
}

}  // namespace

Module read_module(const std::string& with_comments) {
  Module m;
  const std::string text = without_comments(with_comments);
  for (size_t i = 0; (i = text.find_first_not_of(" \t\r\n", i)) != std::string::npos;) {
    const size_t line_end = text.find('\n', i), stop = text.find_first_of(";{(", i);
    const std::string line = text.substr(i, line_end - i);
    if (line.starts_with(".version") || line.starts_with(".target") || line.starts_with(".address_size")) {
      if (line.starts_with(".target")) m.target = words(line).at(1).substr(0, words(line)[1].find(','));
      i = line_end;
      continue;
    }
    const std::string head = text.substr(i, stop - i);
    const bool kernel = head.find(".entry") != std::string::npos, function = head.find(".func") != std::string::npos;
    if (!kernel && !function) {
      const size_t end = text.find(';', i);
      const std::string statement = text.substr(i, end - i);
      if (statement.find(".extern") != std::string::npos && statement.find(".shared") != std::string::npos) {
        // Dynamic shared memory: behind the static (read_kernel).
      } else if (statement.find(".global") != std::string::npos || statement.find(".const") != std::string::npos) {
        read_global(m, statement);
      }
      i = end + 1;
      continue;
    }
    Source s;
    size_t at = stop;
    if (function && text[at] == '(' && words(head).back() == ".func") {
      const size_t end = behind_bracket(text, at);
      s.results = text.substr(at + 1, end - at - 2);
      at = text.find_first_of(";{(", end);
      s.name = trimmed(text.substr(end, at - end));
    } else {
      s.name = words(head).back();
    }
    if (text[at] == '(') {
      const size_t end = behind_bracket(text, at);
      s.parameters = text.substr(at + 1, end - at - 2);
      at = text.find_first_of(";{", end);
    }
    if (text[at] == ';') {  // a prototype
      i = at + 1;
      continue;
    }
    const size_t end = behind_bracket(text, at);
    s.body = text.substr(at + 1, end - at - 2);
    (kernel ? m.kernels : m.functions)[s.name] = s;
    i = end;
  }
  return m;
}

}  // namespace ptx
