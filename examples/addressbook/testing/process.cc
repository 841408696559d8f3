#include "examples/addressbook/testing/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/check.h"

extern char** environ;

namespace addressbook {

std::string ProgramFolder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
}

Process::Process(const std::vector<std::string>& command) {
  int ends[2];
  CHECK(pipe2(ends, O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  CHECK(posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  output_ = fdopen(ends[0], "r");
}

Process::~Process() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    Wait();
  }
  fclose(output_);
}

std::string Process::ReadAfter(const std::string& text) {
  char line[4096];
  while (fgets(line, sizeof line, output_) != nullptr) {
    const std::string read(line);
    const size_t found = read.find(text);
    if (found == std::string::npos) continue;
    const size_t begin = found + text.size();
    return read.substr(begin, read.find('\n') - begin);
  }
  return "";
}

std::string Process::ReadAll() {
  std::string all;
  char buffer[4096];
  while (const size_t size = fread(buffer, 1, sizeof buffer, output_)) all.append(buffer, size);
  return all;
}

int Process::Wait() {
  int status = 0;
  CHECK(waitpid(pid_, &status, 0) == pid_);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int Process::Stop() {
  kill(pid_, SIGTERM);
  return Wait();
}

Outcome RunProgram(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {ProgramFolder() + "/" + program};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Process process(command);
  std::string output = process.ReadAll();
  return {process.Wait(), std::move(output)};
}

}  // namespace addressbook
