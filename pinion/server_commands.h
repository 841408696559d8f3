// pinion gateway, registry and serve: what runs until it is asked to stop.
#pragma once

#include "clients/cli/flags.h"
#include "clients/cli/invocation.h"

namespace pinion {

// `run` must outlive the command line.
void AddServerCommands(cli::Command& root, cli::Invocation& run);

}  // namespace pinion
