// A command line of nouns and verbs. The one adapter of CLI11: it alone catches what that library
// throws. Built by main() before anything runs; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "pinion/command/v1/tree.pb.h"

namespace pinion::cli {

// What the program ends with; what each means is said in flags.cc, for help texts and the manual.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// A command line that cannot be meant: exit status 2.
absl::Status UsageError(absl::string_view message);
bool IsUsageError(const absl::Status& status);

// One noun or verb. Values are written while the line is parsed and must live as long as the
// program.
class Command {
 public:
  using Action = std::function<absl::Status()>;

  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // A word below this one. It lives as long as its parent.
  Command& Sub(absl::string_view word, absl::string_view help);
  // What a leaf does, or a word with verbs when it stands alone.
  void Run(Action action);
  // Printed below the help text. Lines that begin with two blanks are commands as one types them.
  // A word that only has verbs shows their examples.
  void Examples(absl::string_view text);
  // Leaves the word out of what help texts and Describe() list: it is for programs, not for people.
  void Hide();
  // This word and all below it.
  command::v1::Command Describe() const;

  // Positional, in the order of declaration.
  void Argument(absl::string_view name, std::string* value, absl::string_view help);
  void OptionalArgument(absl::string_view name, std::string* value, absl::string_view help);
  void Arguments(absl::string_view name, std::vector<std::string>* values, int count_min,
                 int count_max, absl::string_view help);

  // `flags` as in "--reason" or "-o,--output"; `name` stands for the value in the help text.
  void Option(absl::string_view flags, absl::string_view name, std::string* value,
              absl::string_view help);
  void Option(absl::string_view flags, absl::string_view name, std::optional<std::string>* value,
              absl::string_view help);
  void Option(absl::string_view flags, absl::string_view name, std::optional<int64_t>* value,
              absl::string_view help);
  // `take` is given what is written: for values that know whether they were set.
  void Option(absl::string_view flags, absl::string_view name,
              std::function<void(const std::string&)> take, absl::string_view help);
  void Option(absl::string_view flags, absl::string_view name, std::function<void(int64_t)> take,
              absl::string_view help);
  // May be given several times.
  void Option(absl::string_view flags, absl::string_view name, std::vector<std::string>* values,
              absl::string_view help);
  // 90s, 10m, 1h30m; never negative.
  void Option(absl::string_view flags, absl::string_view name, std::optional<absl::Duration>* value,
              absl::string_view help);
  // One of `choices`.
  void Choice(absl::string_view flags, std::vector<std::string> choices, std::string* value,
              absl::string_view help);
  void Flag(absl::string_view flags, bool* value, absl::string_view help);

 private:
  friend class CommandLine;
  class Impl;
  explicit Command(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

class CommandLine {
 public:
  // `version` is what --version prints.
  CommandLine(absl::string_view program, absl::string_view version, absl::string_view help);
  ~CommandLine();

  // The program itself; its options are understood after every word.
  Command& root() { return *root_; }

  // Parses and returns the action that was chosen. Help is printed to `out`, and what is wrong to
  // `err` with the command whose help says more; both end in an exit status.
  struct Chosen {
    Command::Action action;  // empty: end now
    int exit_status = kExitOk;
  };
  Chosen Parse(const std::vector<std::string>& args, std::ostream& out, std::ostream& err);

 private:
  std::string program_;
  std::unique_ptr<Command> root_;
};

}  // namespace pinion::cli
