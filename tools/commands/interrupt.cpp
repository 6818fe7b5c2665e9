/// The signal flag.
#include "tools/commands/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace tools {

namespace {
volatile std::sig_atomic_t stop = 0;
volatile std::sig_atomic_t exit_code = 0;
std::string typed;

void on_signals(void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}
}  // namespace

void catch_signals() {
  on_signals([](int) { stop = 1; }, int(SA_RESETHAND | SA_RESTART));
}

void exit_on_signals(int code) {
  exit_code = code;
  on_signals([](int) { _exit(int(exit_code)); }, 0);
}

bool stop_requested() { return stop != 0; }

std::string command_line() { return typed; }

void remember_command_line(int argc, char** argv) {
  typed = "cris";
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument.empty() || argument.find_first_of(" \t\n'\"\\$&;|<>()*?") != std::string::npos) {
      std::string quoted = "'";
      for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
      argument = quoted + "'";
    }
    typed += " " + argument;
  }
}

}  // namespace tools
