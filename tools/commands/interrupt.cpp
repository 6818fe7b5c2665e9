/// The first signal asks the command to stop, the second ends it; closed standard streams become /dev/null.
#include "tools/commands/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "cris/run/shell_word.h"

namespace tools {

namespace {
volatile std::sig_atomic_t stop = 0;
volatile std::sig_atomic_t exit_code = 0;
std::string typed;

void on_signals(void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    struct sigaction before = {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}
}  // namespace

void begin_process() {
  for (int stream = 0; stream <= 2; ++stream)
    if (fcntl(stream, F_GETFD) == -1 && errno == EBADF) open("/dev/null", O_RDWR);  // gets the lowest free number
  std::signal(SIGXFSZ, SIG_IGN);
}

void outlive_reader() { std::signal(SIGPIPE, SIG_IGN); }

void catch_signals() {
  on_signals(
      [](int) {
        const int before = errno;
        stop = 1;
        constexpr char kAnswer[] = "\nstopping once the work at hand is done; a second signal ends it at once\n";
        [[maybe_unused]] const ssize_t heard = write(STDERR_FILENO, kAnswer, sizeof kAnswer - 1);
        errno = before;
      },
      int(SA_RESETHAND | SA_RESTART));
}

void exit_on_signals(int code) {
  exit_code = code;
  on_signals([](int) { _exit(int(exit_code)); }, 0);
}

bool stop_requested() { return stop != 0; }

std::string command_line() { return typed; }

void remember_command_line(int argc, char** argv) {
  typed = "cris";
  for (int i = 1; i < argc; ++i) typed += " " + cris::shell_word(argv[i]);
}

}  // namespace tools
