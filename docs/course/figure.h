/// How the course's programs leave a figure: in the folder that they are given, if any.
#pragma once
#include <fstream>
#include <string>

namespace course {

/// Writes FOLDER/name, FOLDER the program's first argument; without one it writes nothing.
inline void save(int argc, char** argv, const std::string& name, const std::string& svg) {
  if (argc > 1) std::ofstream(std::string(argv[1]) + "/" + name) << svg;
}

}  // namespace course
