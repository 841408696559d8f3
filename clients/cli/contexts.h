// The file of contexts: YAML as in context.proto, for its owner alone. Any thread, any number of
// processes.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/cli/settings.h"
#include "pinion/command/v1/context.pb.h"

namespace pinion::cli {

// $XDG_CONFIG_HOME/pinion/contexts.yaml, else below $HOME/.config; empty: neither is set, so there
// are no contexts.
std::string ContextsPath(const Environment& environment);

// No file, or an empty path: no contexts. InvalidArgument: one line `file:line:column: message` for
// each error.
absl::StatusOr<command::v1::Contexts> LoadContexts(const std::string& path);

// Reads the file, has `change` change it, and replaces it as a whole: readers see the old file or
// the new one, and of two that change it at once none is lost. Makes the folder if there is none.
// An error of `change` leaves all as it is. FailedPrecondition: `path` is empty.
absl::Status ChangeContexts(const std::string& path,
                            const std::function<absl::Status(command::v1::Contexts&)>& change);

}  // namespace pinion::cli
