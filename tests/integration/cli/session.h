// A session at the command line as a text file: what a user types and what comes back.
//
//   # a remark
//   $ pinion pin set billing addressbook '^1'
//   billing addressbook: ^1 (1.0.0)
//   $ pinion pin set billing addressbook 1
//   pinion: …
//   [exit 1]
//
// Standard output and standard error stand together, as a terminal shows them. What differs from
// run to run stands as <id>.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pinion::testing {

// The words of a shell line: blanks separate, '…' quotes, \ does not.
absl::StatusOr<std::vector<std::string>> ShellWords(absl::string_view line);

// Runs one command line in this process against the registry at `address` as actor `alice`: what it
// prints, and "[exit N]" unless N is 0. `stops(n)`: whether a command that stays in the foreground
// is asked to stop during its n-th wait; 0 is the one before it begins.
std::string RunCommand(
    const std::vector<std::string>& words, const std::string& address,
    const std::function<bool(int)>& stops = [](int n) { return n > 1; });

// The command lines that help texts show as examples, as far as the program alone reads them.
std::vector<std::string> Examples();
// Whether a line can be meant; nothing is done. What is wrong with it, if not.
std::string Misunderstood(const std::vector<std::string>& words);

// `text` with every 32-digit hexadecimal id, `address`, and how large a backup is, replaced.
std::string Masked(std::string text, const std::string& address);

// The file's text with what its commands print now.
std::string Replay(const std::string& session, const std::string& address);

}  // namespace pinion::testing
