/// Ctrl-C and SIGTERM as a wish to stop at the next safe place; and the command line as it was typed.
#pragma once
#include <string>

namespace tools {

/// From here on the first SIGINT or SIGTERM only sets a flag; a second one ends the process.
void catch_signals();
bool stop_requested();
/// From now on those signals end the process at once with exit code `code`: for work that a restart repeats whole.
void exit_on_signals(int code);

/// The command line, for manifests: arguments joined by blanks, quoted where needed.
std::string command_line();
void remember_command_line(int argc, char** argv);

}  // namespace tools
