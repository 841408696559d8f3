#include "tests/integration/cli/session.h"

#include <cctype>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "clients/cli/commands.h"
#include "clients/cli/flags.h"
#include "clients/cli/invocation.h"
#include "registry/access/token.h"

namespace pinion::testing {
namespace {

constexpr size_t kIdDigits = 32;

}  // namespace

absl::StatusOr<std::vector<std::string>> ShellWords(absl::string_view line) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  bool quoted = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
      if (!word) word.emplace();
    } else if (c == ' ' && !quoted) {
      if (word) words.push_back(*std::exchange(word, std::nullopt));
    } else {
      if (!word) word.emplace();
      word->push_back(c);
    }
  }
  if (quoted) return absl::InvalidArgumentError(absl::StrCat("open quote: ", line));
  if (word) words.push_back(*word);
  return words;
}

std::string RunCommand(const std::vector<std::string>& words, const std::string& address,
                       const std::function<bool(int)>& stops) {
  std::ostringstream terminal;
  int waits = 0;
  cli::Invocation run({.out = terminal,
                       .err = terminal,
                       .environment = [&](const char* name) -> std::optional<std::string> {
                         const std::string_view asked = name;
                         if (asked == "PINION_REGISTRY") return address;
                         if (asked == "PINION_ACTOR") return "alice";
                         return std::nullopt;
                       },
                       .program_version = "0.0.0",
                       .wait_for_stop = [&](absl::Duration) { return stops(waits++); },
                       .on_reload = [](std::function<void(cli::Reload)>) {}});
  cli::CommandLine line("pinion", "0.0.0", "The program.");
  run.AddFlags(line.root());
  cli::AddCommands(line.root(), run);
  const auto chosen = line.Parse(words, terminal, terminal);
  const int status = chosen.action ? run.Finish(chosen.action) : chosen.exit_status;
  std::string text = terminal.str();
  if (!text.empty() && text.back() != '\n') text += '\n';
  if (status != 0) absl::StrAppend(&text, "[exit ", status, "]\n");
  return text;
}

namespace {

// The whole command line, for a run that prints nowhere.
struct Unused {
  std::ostringstream out;
  cli::Invocation run{{.out = out, .err = out}};
  cli::CommandLine line{"pinion", "0.0.0", "The program."};

  Unused() {
    run.AddFlags(line.root());
    cli::AddCommands(line.root(), run);
  }
};

void AddExamples(const command::v1::Command& command, std::vector<std::string>& examples) {
  for (const std::string& line : command.examples()) {
    const bool for_a_shell = line.find_first_of("$|>(") != line.npos;
    if (absl::StartsWith(line, "pinion ") && !for_a_shell) examples.push_back(line);
  }
  for (const command::v1::Command& below : command.commands()) AddExamples(below, examples);
}

}  // namespace

std::vector<std::string> Examples() {
  Unused unused;
  std::vector<std::string> examples;
  AddExamples(unused.line.root().Describe(), examples);
  return examples;
}

std::string Misunderstood(const std::vector<std::string>& words) {
  Unused unused;
  return unused.line.Parse(words, unused.out, unused.out).action ? "" : unused.out.str();
}

std::string Masked(std::string text, const std::string& address) {
  text = absl::StrReplaceAll(text, {{address, "<address>"}});
  // A backup's, which go by the number of the chain that a random id falls to.
  const std::string label = "\nbytes:    ";
  if (const size_t at = text.find(label); at != text.npos) {
    const size_t digits = at + label.size();
    text.replace(digits, text.find('\n', digits) - digits, "<bytes>");
  }
  std::string masked;
  size_t run = 0;
  const auto is_hex = [](char c) { return std::isdigit(c) != 0 || (c >= 'a' && c <= 'f'); };
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && is_hex(text[i])) {
      ++run;
      continue;
    }
    const bool secret = run == 2 * kIdDigits && absl::EndsWith(masked, access::kTokenPrefix);
    masked += secret ? "<secret>" : run == kIdDigits ? "<id>" : text.substr(i - run, run);
    run = 0;
    if (i < text.size()) masked += text[i];
  }
  return masked;
}

std::string Replay(const std::string& session, const std::string& address) {
  std::string replayed;
  bool behind_remark = false;
  for (absl::string_view line : absl::StrSplit(session, '\n')) {
    if (absl::StartsWith(line, "# ")) {
      absl::StrAppend(&replayed, replayed.empty() ? "" : "\n", line, "\n");
      behind_remark = true;
      continue;
    }
    if (line.empty() && behind_remark) replayed += '\n';
    behind_remark = false;
    if (!absl::ConsumePrefix(&line, "$ pinion ")) continue;  // what it printed last time
    absl::StrAppend(&replayed, "$ pinion ", line, "\n");
    const auto words = ShellWords(line);
    absl::StrAppend(&replayed, words.ok() ? Masked(RunCommand(*words, address), address)
                                          : std::string(words.status().message()));
  }
  return replayed;
}

}  // namespace pinion::testing
