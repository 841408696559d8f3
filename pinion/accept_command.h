// pinion gateway accept: an operator's word to a gateway that runs.
#pragma once

#include "clients/cli/flags.h"
#include "clients/cli/invocation.h"

namespace pinion {

// `gateway`: the command `pinion gateway`. `run` outlives it.
void AddAcceptCommand(cli::Command& gateway, cli::Invocation& run);

}  // namespace pinion
