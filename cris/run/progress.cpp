/// On a terminal the bar is drawn over itself; into a pipe or a file goes a plain line every ten seconds.
#include "cris/run/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace cris {

std::string duration_text(double seconds) {
  const auto s = int64_t(std::max(0.0, seconds) + 0.5);
  if (s >= 3600) return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
  if (s >= 60) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} s", s);
}

std::string bytes_text(int64_t bytes) {
  if (bytes >= 1000000000) return fmt::format("{:.2f} GB", double(bytes) / 1e9);
  if (bytes >= 1000000) return fmt::format("{:.1f} MB", double(bytes) / 1e6);
  return fmt::format("{:.1f} kB", double(bytes) / 1e3);
}

namespace {

using Milliseconds = std::chrono::milliseconds;

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}
bool draws(std::FILE* file) {
  const char* term = std::getenv("TERM");
  return isatty(fileno(file)) != 0 && std::string_view(term ? term : "dumb") != "dumb";
}
bool passed(std::chrono::steady_clock::time_point& last, Milliseconds least) {
  const auto now = std::chrono::steady_clock::now();
  if (now - last < least) return false;
  last = now;
  return true;
}

}  // namespace

ConsoleProgress::ConsoleProgress(std::FILE* file)
    : file_(file), terminal_(draws(file)), colour_(terminal_ && !is_set("NO_COLOR")) {}

ConsoleProgress::~ConsoleProgress() { clear_bar(); }

bool ConsoleProgress::due() { return passed(last_, Milliseconds(terminal_ ? 100 : 10000)); }

void ConsoleProgress::clear_bar() {
  if (shown_columns_ > 0) show("\r" + std::string(size_t(shown_columns_), ' ') + "\r");
  shown_columns_ = 0;
}

void ConsoleProgress::draw(const std::string& head, double share, const std::string& tail) {
  winsize size{};
  const int columns = ioctl(fileno(file_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  const int free = columns - int(head.size()) - 1, bar = std::clamp(free - int(tail.size()), std::min(8, free), 30);
  std::string drawn;
  for (int i = 0; i < bar; ++i) drawn += i < int(share * bar) ? "━" : "╌";
  // What does not fit is cut: a bar of two lines could not be redrawn.
  std::string cut = tail.substr(0, size_t(std::max(0, free - std::max(bar, 0))));
  if (cut.size() < tail.size()) cut.resize(cut.rfind("  ") == std::string::npos ? 0 : cut.rfind("  "));
  const int now = int(head.size()) + bar + int(cut.size());
  // Blanks over what is left of a longer line: no escape sequence is needed for it.
  const std::string blanks(size_t(std::max(0, shown_columns_ - now)), ' ');
  show(fmt::format("\r{}{}{}{}{}{}", head, colour_ ? "\033[36m" : "", drawn, colour_ ? "\033[0m" : "", cut, blanks));
  shown_columns_ = std::max(now, 1);
}

void ConsoleProgress::step(const Step& s) {
  if (!due()) return;
  // The most wanted first: a narrow terminal cuts the end.
  const std::string dice = s.dice >= 0 ? fmt::format("  dice {:.3f}", s.dice) : "";
  const std::string numbers = fmt::format("left {}  loss {:.4f}{}  {:.1f} images/s", duration_text(s.eta_seconds),
                                          s.loss, dice, s.images_per_second),
                    more = fmt::format("  step {:.0f} ms, data {:.0f} ms  memory {}", s.step_ms, s.data_ms,
                                       bytes_text(s.memory_bytes));
  if (!terminal_)
    return show(fmt::format("epoch {}/{}  step {}/{}  {}{}\n", s.epoch, s.epochs, s.step, s.steps, numbers, more));
  draw(fmt::format("{:>3}/{} ", s.epoch, s.epochs), s.steps ? double(s.step) / double(s.steps) : 0,
       fmt::format(" {}/{}  {}{}", s.step, s.steps, numbers, more));
}

void ConsoleProgress::count(const std::string& what, int64_t done, int64_t all) {
  if (what != counted_) counted_ = what, began_ = Clock::now();
  if (!due()) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  const double left = done > 0 ? seconds * double(all - done) / double(done) : 0;
  std::string numbers = fmt::format("{}/{}", done, all);
  if (done > 0 && seconds > 0.2)  // before that there is no rate to speak of
    numbers += fmt::format("  {:.1f} a second  left {}", double(done) / seconds, duration_text(left));
  if (!terminal_) return show(fmt::format("{} {}\n", what, numbers));
  draw(what + " ", all ? double(done) / double(all) : 0, " " + numbers);
}

void ConsoleProgress::message(const std::string& text) {
  clear_bar();
  show(text + "\n");
}

void ConsoleProgress::show(const std::string& text) {
  std::fputs(text.c_str(), file_);
  std::fflush(file_);
}

bool JsonProgress::due() { return passed(last_, Milliseconds(1000)); }

void JsonProgress::event(const char* name, nlohmann::ordered_json line) {
  nlohmann::ordered_json whole = {{"event", name}};
  whole.update(line);
  std::fputs((whole.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n").c_str(), file_);
  std::fflush(file_);
}

void JsonProgress::step(const Step& s) {
  if (due())
    event("step", {{"epoch", s.epoch},
                   {"epochs", s.epochs},
                   {"step", s.step},
                   {"steps", s.steps},
                   {"loss", s.loss},
                   {"images_per_second", s.images_per_second},
                   {"left_seconds", s.eta_seconds},
                   {"memory_bytes", s.memory_bytes}});
}

void JsonProgress::count(const std::string& what, int64_t done, int64_t all) {
  if (due()) event("count", {{"what", what}, {"done", done}, {"all", all}});
}

void JsonProgress::message(const std::string& text) { event("message", {{"text", text}}); }

void JsonProgress::epoch(const nlohmann::ordered_json& line) { event("epoch", line); }

}  // namespace cris
