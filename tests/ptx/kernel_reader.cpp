/// From a kernel's text to instructions whose operands are rows. Functions are read in place of their calls.
#include <fmt/format.h>

#include <optional>

#include "tests/ptx/memory.h"
#include "tests/ptx/module.h"
#include "tests/ptx/operation.h"
#include "tests/ptx/text.h"

namespace ptx {
namespace {

struct Register {
  int row;
  bool wide;
};
enum class Space { local, shared, parameter };
/// A variable of a kernel: its place in its space.
struct Variable {
  Space space;
  uint32_t offset;
};

uint32_t bytes_of(const std::string& type) {
  if (type == ".pred") return 4;
  return uint32_t(std::stoul(type.substr(2))) / 8;
}

class KernelReader {
 public:
  KernelReader(const Module& m, const Source& s) : module_(m), kernel_(std::make_unique<Kernel>()) {
    kernel_->name = s.name;
    kernel_->rows = 2;  // row 0 is none
    read_parameters(s.parameters);
  }
  std::unique_ptr<Kernel> read(const std::string& body) {
    read_body(body, "");
    add({.kind = Kind::exit}, "the end");
    for (const auto& [at, label] : branches_) {
      const auto target = labels_.find(label);
      if (target == labels_.end()) fail("there is no label " + label);
      kernel_->code[size_t(at)].target = target->second;
    }
    // Dynamic shared memory begins where the static ends.
    kernel_->shared_bytes = (kernel_->shared_bytes + 15) / 16 * 16;
    for (const Register& r : dynamic_shared_) kernel_->constants.push_back({r.row, r.wide, kernel_->shared_bytes});
    kernel_->hits.resize(kernel_->code.size());
    return std::move(kernel_);
  }

 private:
  const Module& module_;
  std::unique_ptr<Kernel> kernel_;
  std::vector<std::map<std::string, Register>> registers_;  // a scope each
  std::vector<std::map<std::string, Variable>> variables_;
  std::map<std::string, int> labels_;
  std::vector<std::pair<int, std::string>> branches_;
  std::map<std::pair<uint64_t, bool>, int> constants_;
  std::vector<Register> dynamic_shared_;
  std::string prefix_, return_label_, statement_;
  int calls_ = 0;

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(fmt::format("ptx: {}: {}; in {}", kernel_->name, what, statement_));
  }
  int new_row(bool wide) {
    const int row = kernel_->rows;
    kernel_->rows += wide ? 2 : 1;
    return row;
  }
  int constant(uint64_t bits, bool wide) {
    const auto [at, fresh] = constants_.try_emplace({bits, wide}, 0);
    if (fresh) {
      at->second = new_row(wide);
      kernel_->constants.push_back({at->second, wide, bits});
    }
    return at->second;
  }
  void add(Instruction i, const std::string& text) {
    kernel_->code.push_back(i);
    kernel_->text.push_back(text);
  }

  // ---- declarations ----
  void read_parameters(const std::string& text) {
    variables_.emplace_back();
    for (const std::string& p : parts(text)) {
      // ".param .align 8 .b8 name[88]" or ".param .u64 name" or ".param .u64 .ptr .align 1 name"
      const size_t bracket = p.find('[');
      const std::vector<std::string> w = words(p.substr(0, bracket));
      uint32_t align = 0, bytes = 0;
      for (size_t i = 1; i + 1 < w.size(); ++i) {
        if (w[i] == ".align" && bytes == 0) align = uint32_t(std::stoul(w[i + 1]));
        if (w[i].size() > 2 && std::isdigit(w[i].back()) && w[i][0] == '.' && bytes == 0) bytes = bytes_of(w[i]);
      }
      if (align == 0) align = bytes;
      if (bracket != std::string::npos) bytes *= uint32_t(std::stoul(p.substr(bracket + 1)));
      const uint32_t at = (kernel_->parameter_bytes + align - 1) / align * align;
      kernel_->parameters.push_back({at, bytes});
      kernel_->parameter_bytes = at + bytes;
      variables_.back()[w.back()] = {Space::parameter, at};
    }
  }
  void declare_registers(const std::string& rest) {
    const size_t blank = rest.find_first_of(" \t");
    const std::string type = rest.substr(0, blank);
    const bool wide = bytes_of(type) == 8;
    for (const std::string& name : parts(rest.substr(blank))) {
      const size_t angle = name.find('<');
      if (angle == std::string::npos) {
        registers_.back()[name] = {new_row(wide), wide};
        continue;
      }
      for (int n = 0, count = std::stoi(name.substr(angle + 1)); n < count; ++n)
        registers_.back()[name.substr(0, angle) + std::to_string(n)] = {new_row(wide), wide};
    }
  }
  /// ".align 8 .b8 name[16]" or ".b64 name": in local memory, as are the parameters of calls, or in shared.
  void declare_variable(Space space, const std::string& rest) {
    const size_t bracket = rest.find('[');
    const std::vector<std::string> w = words(rest.substr(0, bracket));
    const bool aligned = w[0] == ".align";
    uint32_t bytes = bytes_of(w[aligned ? 2 : 0]);
    const uint32_t align = aligned ? uint32_t(std::stoul(w[1])) : bytes;
    if (bracket != std::string::npos) bytes *= uint32_t(std::stoul(rest.substr(bracket + 1)));
    uint32_t& used = space == Space::shared ? kernel_->shared_bytes : kernel_->local_bytes;
    const uint32_t at = (used + align - 1) / align * align;
    used = (at + bytes + 15) / 16 * 16;
    variables_.back()[w.back()] = {space, at};
  }

  // ---- names ----
  std::optional<Register> find_register(const std::string& name) const {
    for (auto scope = registers_.rbegin(); scope != registers_.rend(); ++scope)
      if (const auto r = scope->find(name); r != scope->end()) return r->second;
    return {};
  }
  std::optional<Variable> find_variable(const std::string& name) const {
    for (auto scope = variables_.rbegin(); scope != variables_.rend(); ++scope)
      if (const auto v = scope->find(name); v != scope->end()) return v->second;
    return {};
  }

  // ---- operands ----
  /// A register, a special register, a number or the address of a variable.
  Register operand(const std::string& s, bool wide) {
    if (const auto r = find_register(s)) return *r;
    if (s == "_") return {new_row(wide), wide};
    if (s[0] == '%') {
      for (const char* known : {"%tid.", "%ctaid.", "%ntid.", "%nctaid.", "%laneid"})
        if (s.starts_with(known)) {
          kernel_->specials.push_back({s, new_row(false)});
          return {kernel_->specials.back().row, false};
        }
      fail("there is no register " + s);
    }
    if (s.starts_with("0f") || s.starts_with("0F"))
      return {constant(std::stoull(s.substr(2), nullptr, 16), false), false};
    if (s.starts_with("0d") || s.starts_with("0D"))
      return {constant(std::stoull(s.substr(2), nullptr, 16), true), true};
    if (s[0] == '-') return {constant(uint64_t(std::stoll(s, nullptr, 0)), wide), wide};
    if (std::isdigit(s[0])) return {constant(std::stoull(s, nullptr, 0), wide), wide};
    if (const auto v = find_variable(s)) return {constant(v->offset, wide), wide};
    if (const auto g = module_.globals.find(s); g != module_.globals.end()) return {constant(g->second, true), true};
    // What was declared nowhere else is the .extern array of dynamic shared memory.
    dynamic_shared_.push_back({new_row(wide), wide});
    return dynamic_shared_.back();
  }
  void put(Instruction& i, int& n, const std::string& s, bool wide) {
    if (n == Instruction::kOperands) fail("too many operands");
    const Register r = operand(s, wide);
    i.at[n] = r.row;
    i.wide = uint16_t(i.wide | unsigned(r.wide) << n);
    ++n;
  }
  /// "[%rd1+8]", "[name]": a row, and what is added to it.
  void put_address(Instruction& i, int& n, const std::string& s) {
    const std::string inner = trimmed(s.substr(1, s.size() - 2));
    const size_t sign = inner.find_first_of("+-", 1);
    const std::string base = trimmed(inner.substr(0, sign));
    put(i, n, base, true);
    if (sign != std::string::npos) i.immediate = std::stoll(inner.substr(inner[sign] == '+' ? sign + 1 : sign));
  }

  // ---- statements ----
  void read_body(const std::string& body, const std::string& prefix) {
    const std::string outer = std::exchange(prefix_, prefix);
    registers_.emplace_back(), variables_.emplace_back();
    const size_t depth = registers_.size();
    for (const std::string& s : statements(body)) {
      statement_ = s;
      if (s == "{") {
        registers_.emplace_back(), variables_.emplace_back();
      } else if (s == "}") {
        registers_.pop_back(), variables_.pop_back();
      } else if (s.back() == ':') {
        labels_[prefix_ + s.substr(0, s.size() - 1)] = int(kernel_->code.size());
      } else if (s[0] == '.') {
        read_directive(s);
      } else {
        read_instruction(s);
      }
    }
    registers_.resize(depth - 1), variables_.resize(depth - 1);
    prefix_ = outer;
  }
  void read_directive(const std::string& s) {
    const size_t blank = s.find_first_of(" \t");
    const std::string name = s.substr(0, blank), rest = blank == std::string::npos ? "" : trimmed(s.substr(blank));
    if (name == ".reg") return declare_registers(rest);
    if (name == ".local" || name == ".param") return declare_variable(Space::local, rest);
    if (name == ".shared") return declare_variable(Space::shared, rest);
    if (name != ".pragma" && name != ".loc" && name != ".file") fail("unknown directive");
  }
  void read_instruction(std::string s) {
    Instruction i;
    const std::string text = [&] {
      std::string one_line;
      for (const std::string& w : words(s)) one_line += (one_line.empty() ? "" : " ") + w;
      return one_line;
    }();
    if (s[0] == '@') {
      i.guard_negated = s[1] == '!';
      const size_t blank = s.find_first_of(" \t");
      const std::string predicate = s.substr(i.guard_negated ? 2 : 1, blank - (i.guard_negated ? 2 : 1));
      i.guard = operand(predicate, false).row;
      s = trimmed(s.substr(blank));
    }
    const size_t blank = s.find_first_of(" \t");
    std::string name = s.substr(0, blank);
    const std::string rest = blank == std::string::npos ? "" : trimmed(s.substr(blank));
    if (name == "bra" || name == "bra.uni") {
      branches_.emplace_back(int(kernel_->code.size()), prefix_ + rest);
      i.kind = Kind::branch;
      return add(i, text);
    }
    if (name == "ret" || name == "exit" || name == "ret.uni") {
      i.kind = prefix_.empty() ? Kind::exit : Kind::branch;
      if (!prefix_.empty()) branches_.emplace_back(int(kernel_->code.size()), return_label_);
      return add(i, text);
    }
    if (name == "bar.sync" || name == "barrier.sync" || name == "barrier.sync.aligned" ||
        name == "barrier.cta.sync.aligned") {
      if (rest != "0") fail("only barrier 0 of a whole block is known");
      i.kind = Kind::barrier;
      return add(i, text);
    }
    // A warp's lanes run together here, and those that wait are those that live.
    if (name == "bar.warp.sync") {
      i.run = [](Warp&, const Instruction&) {};
      return add(i, text);
    }
    if (name == "call.uni" || name == "call") return read_call(rest);
    read_operation(i, name, parts(rest), text);
  }
  void read_operation(Instruction& i, std::string name, const std::vector<std::string>& operands,
                      const std::string& text) {
    if (name.starts_with("mov.b") && operands.size() == 2 && operands[0][0] == '{') name += ".unpack";
    if (name.starts_with("mov.b") && operands.size() == 2 && operands[1][0] == '{') name += ".pack";
    // Parameters of functions lie in local memory.
    if (name.starts_with("ld.param") || name.starts_with("st.param"))
      for (const std::string& o : operands)
        if (o[0] == '[')
          if (const auto v = find_variable(trimmed(o.substr(1, o.find_first_of("+]") - 1)));
              v && v->space == Space::local)
            name.replace(3, 5, "local");
    const Operation op = operation(name);
    if (op.run == nullptr) fail("unknown instruction " + name + " (tests/ptx)");
    i.run = op.run;
    int n = 0;
    for (const std::string& o : operands) {
      const auto wide = [&] { return size_t(n) < op.operands.size() && op.operands[size_t(n)].wide; };
      if (o[0] == '[') {
        put_address(i, n, o);
      } else if (o[0] == '{') {
        for (const std::string& element : parts(o.substr(1, o.size() - 2))) put(i, n, element, wide());
      } else if (name == "cp.async.wait_group") {
        i.immediate = std::stoll(o);
      } else if (name == "cp.async.cg.shared.global" && n == 2) {
        if (o != "16") fail("cp.async of other than 16 bytes");
        i.at[n++] = 0;
      } else {
        put(i, n, o, wide());
      }
    }
    if (!op.operands.empty() && size_t(n) != op.operands.size()) fail("a wrong number of operands");
    for (size_t k = 0; k < op.operands.size(); ++k)
      if (op.operands[k].wide != bool(i.wide >> k & 1)) fail(fmt::format("operand {} is of another width", k));
    add(i, text);
  }
  /// "(result), name, (argument, ...)": the function's body, its parameters named as the caller's variables.
  void read_call(const std::string& rest) {
    const std::vector<std::string> p = parts(rest);
    const std::string& name = p[p[0][0] == '(' ? 1 : 0];
    const auto found = module_.functions.find(name);
    if (found == module_.functions.end()) fail("there is no function " + name);
    std::map<std::string, Variable> named;
    const auto bind = [&](const std::string& declared, const std::string& given) {
      const std::vector<std::string> names = parts(declared), values = parts(given.substr(1, given.size() - 2));
      for (size_t k = 0; k < names.size(); ++k) {
        const std::string declaration = names[k].substr(0, names[k].find('['));
        const auto v = find_variable(values.at(k));
        if (!v) fail("there is no parameter " + values[k]);
        named[words(declaration).back()] = *v;
      }
    };
    if (p[0][0] == '(') bind(found->second.results, p[0]);
    if (p.back()[0] == '(' && p.size() > 1) bind(found->second.parameters, p.back());
    const std::string prefix = fmt::format("call {} ", calls_++),
                      outer_return = std::exchange(return_label_, prefix + "end");
    variables_.push_back(named), registers_.emplace_back();
    read_body(found->second.body, prefix);
    variables_.pop_back(), registers_.pop_back();
    labels_[prefix + "end"] = int(kernel_->code.size());
    return_label_ = outer_return;
  }
};

}  // namespace

std::unique_ptr<Kernel> read_kernel(const Module& module, const Source& kernel, const std::string& body) {
  return KernelReader(module, kernel).read(body);
}

}  // namespace ptx
