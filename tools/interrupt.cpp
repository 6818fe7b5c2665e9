/// The signal flag.
#include "tools/interrupt.h"

#include <csignal>

namespace tools {

namespace {
volatile std::sig_atomic_t stop = 0;
std::string typed;
}  // namespace

void catch_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int) { stop = 1; };
  action.sa_flags = int(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
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
