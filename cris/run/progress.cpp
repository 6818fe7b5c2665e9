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

ConsoleProgress::ConsoleProgress(std::FILE* file) : file_(file), terminal_(isatty(fileno(file)) != 0) {
  const char* no_colour = std::getenv("NO_COLOR");
  colour_ = terminal_ && !(no_colour && *no_colour);
}

ConsoleProgress::~ConsoleProgress() { clear_bar(); }

void ConsoleProgress::clear_bar() {
  if (bar_shown_) show("\r\033[K");
  bar_shown_ = false;
}

void ConsoleProgress::step(const Step& s) {
  const auto now = Clock::now();
  if (now - last_ < (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000))) return;
  last_ = now;
  const std::string dice = s.dice >= 0 ? fmt::format("  dice {:.4f}", s.dice) : "";
  const std::string numbers =
      fmt::format("loss {:.4f}{}  data {:.0f} ms  step {:.0f} ms  {:.1f} images/s  left {}  {}", s.loss, dice,
                  s.data_ms, s.step_ms, s.images_per_second, duration_text(s.eta_seconds), bytes_text(s.memory_bytes));
  if (!terminal_) {
    return show(fmt::format("epoch {}/{}  step {}/{}  {}\n", s.epoch, s.epochs, s.step, s.steps, numbers));
  }
  winsize size{};
  const int columns = ioctl(fileno(file_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  const std::string head = fmt::format("{:>3}/{} ", s.epoch, s.epochs),
                    tail = fmt::format(" {}/{}  {}", s.step, s.steps, numbers);
  const int bar = std::clamp(columns - int(head.size() + tail.size()) - 1, 0, 30);
  const int full = s.steps ? int(int64_t(bar) * s.step / s.steps) : 0;
  std::string drawn;
  for (int i = 0; i < bar; ++i) drawn += i < full ? "━" : "╌";
  // What does not fit is cut: a bar of two lines could not be redrawn.
  const std::string cut = tail.substr(0, size_t(std::max(0, columns - int(head.size()) - bar - 1)));
  show(fmt::format("\r\033[K{}{}{}{}{}", head, colour_ ? "\033[36m" : "", drawn, colour_ ? "\033[0m" : "", cut));
  bar_shown_ = true;
}

void ConsoleProgress::message(const std::string& text) {
  clear_bar();
  show(text + "\n");
}

void ConsoleProgress::show(const std::string& text) {
  std::fputs(text.c_str(), file_);
  std::fflush(file_);
}

}  // namespace cris
