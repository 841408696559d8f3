// pinion help-dump: the command line described for programs.
#include "base/status_macros.h"
#include "clients/cli/commands.h"

namespace pinion::cli {

void AddHelpDumpCommand(Command& root, Invocation& run) {
  Command& dump = root.Sub("help-dump", "Print all commands with their options as JSON");
  dump.Hide();
  dump.Run([&root, &run] {
    run.out() << ToJson(root.Describe());
    return absl::OkStatus();
  });
}

}  // namespace pinion::cli
