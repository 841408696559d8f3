// Programs as the tests run them: the built ones, which lie beside the test.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace addressbook {

// The folder that holds this test and the example's programs.
std::string ProgramFolder();

// A running program, killed when destroyed. Its standard error is the test's. Belongs to one
// thread.
class Process {
 public:
  explicit Process(const std::vector<std::string>& command);
  Process(const Process&) = delete;
  ~Process();

  // Reads its output up to a line with `text` and returns what follows it there. Empty: the output
  // ended first.
  std::string ReadAfter(const std::string& text);

  // The rest of its output.
  std::string ReadAll();

  // Waits for its end and returns its exit code; -1 when a signal ended it.
  int Wait();

  // SIGTERM, then Wait().
  int Stop();

 private:
  pid_t pid_ = -1;
  FILE* output_ = nullptr;
};

// Runs a program of the example to its end.
struct Outcome {
  int exit_code;
  std::string output;
};
Outcome RunProgram(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace addressbook
