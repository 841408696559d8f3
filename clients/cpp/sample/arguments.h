// `--name value` pairs of a command line.
#pragma once

#include <string>

inline std::string Argument(int argc, char** argv, const std::string& name,
                            const std::string& otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (argv[i] == name) return argv[i + 1];
  }
  return otherwise;
}
