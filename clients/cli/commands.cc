#include "clients/cli/commands.h"

namespace pinion::cli {

void AddCommands(Command& root, Invocation& run) {
  AddServiceCommands(root, run);
  AddVersionCommands(root, run);
  AddCanDeploy(root.Sub("can-deploy", "Whether all that a version requires is there"), run);
  AddCanRetire(root.Sub("can-retire", "Whether nothing keeps a version any more"), run);
  AddInstanceCommands(root, run);
  AddConsumerCommands(root, run);
  AddPinCommands(root, run);
  AddJobCommands(root, run);
  AddChannelCommands(root, run);
  AddEntitlementCommands(root, run);
  AddPlanCommands(root, run);
  AddUsageCommand(root, run);
  AddAccessCommands(root, run);
  AddStatusCommands(root, run);
  AddAuditCommands(root, run);
  AddBackupCommand(root, run);
  AddRoutingCommands(root, run);
  AddContextCommands(root, run);
  AddDoctorCommand(root, run);
  AddCompletionCommands(root, run);
  AddHelpDumpCommand(root, run);
}

}  // namespace pinion::cli
