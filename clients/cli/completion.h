// What may stand next on a command line that is being typed. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pinion/command/v1/context.pb.h"
#include "pinion/command/v1/tree.pb.h"

namespace pinion::cli {

struct Completion {
  struct Word {
    std::string word;
    std::string help;

    friend bool operator==(const Word&, const Word&) = default;
  };
  // What else could stand there, which others know: the shell, or a registry.
  enum class Named {
    kNothing,
    kFile,
    kDirectory,
    kService,
    kVersion,
    kChannel,
    kConsumer,
    kContext
  };

  std::vector<Word> words;  // of the tree, as far as they begin with what was typed
  Named named = Named::kNothing;
  std::string service;  // whose versions or channels, where the line says so
  std::string typed;    // of the name; "--config=" and the like stand in `before`
  std::string before;
  // What the line says of the registry to ask.
  command::v1::Context said;
  std::optional<std::string> context;
};

// `words`: what stands behind the program's name; the last is being typed, and may be empty.
Completion Complete(const command::v1::Command& program, const std::vector<std::string>& words);

}  // namespace pinion::cli
