// pinion restore: writes into a store by itself, beside no registry.
#pragma once

#include "clients/cli/flags.h"
#include "clients/cli/invocation.h"

namespace pinion {

// `run` must outlive the command line.
void AddRestoreCommand(cli::Command& root, cli::Invocation& run);

}  // namespace pinion
