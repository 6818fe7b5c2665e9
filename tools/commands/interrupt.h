/// What a process meets from outside: signals as a wish to stop at the next safe place, standard streams that are
/// closed or lose their reader; and the command line as it was typed.
#pragma once
#include <string>

namespace tools {

/// Before anything else: /dev/null takes the place of a closed stdin, stdout or stderr, whose number the next file
/// would get otherwise, and be filled with messages. A file that grows past `ulimit -f` is an error, no signal.
void begin_process();
/// From here on no command dies when the reader of its output leaves (`| head`): for those that write files.
void outlive_reader();

/// From here on the first SIGINT, SIGTERM, SIGHUP or SIGUSR1 only sets a flag, and says so; a second one ends the
/// process. One that
/// was ignored when the process began (nohup) stays ignored.
void catch_signals();
bool stop_requested();
/// From now on those signals end the process at once with exit code `code`: for work that a restart repeats whole.
void exit_on_signals(int code);

/// The command line, for manifests: arguments joined by blanks, quoted where needed.
std::string command_line();
void remember_command_line(int argc, char** argv);

}  // namespace tools
