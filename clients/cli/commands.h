// The commands that talk to a registry, noun by noun. Each Add… declares the verbs of its nouns;
// `run` must outlive the command line.
#pragma once

#include "clients/cli/flags.h"
#include "clients/cli/invocation.h"

namespace pinion::cli {

void AddServiceCommands(Command& root, Invocation& run);
void AddVersionCommands(Command& root, Invocation& run);  // and schema
// Verbs of `version`: deprecate and reactivate; retire, delete and gc.
void AddLifecycleCommands(Command& version, Invocation& run);
void AddRetirementCommands(Command& version, Invocation& run);
// A verb of `version`, of steps of databases.
void AddActivate(Command& activate, Invocation& run);
// Questions that the exit status answers.
void AddCanDeploy(Command& can_deploy, Invocation& run);
void AddCanRetire(Command& can_retire, Invocation& run);
// A verb of `schema`.
void AddSchemaCheck(Command& check, Invocation& run);
void AddInstanceCommands(Command& root, Invocation& run);
void AddConsumerCommands(Command& root, Invocation& run);
void AddPinCommands(Command& root, Invocation& run);
void AddJobCommands(Command& root, Invocation& run);
void AddPlanCommands(Command& root, Invocation& run);
void AddChannelCommands(Command& root, Invocation& run);
void AddEntitlementCommands(Command& root, Invocation& run);
void AddUsageCommand(Command& root, Invocation& run);
// Verbs of `gateway`, which is itself the command that runs one.
void AddGatewayCommands(Command& gateway, Invocation& run);
void AddAccessCommands(Command& root, Invocation& run);  // and token, whoami
void AddStatusCommands(Command& root, Invocation& run);
void AddAuditCommands(Command& root, Invocation& run);
void AddBackupCommand(Command& root, Invocation& run);
// Verbs of `registry`, which is itself the command that runs one.
void AddRegistryCommands(Command& registry, Invocation& run);
void AddRoutingCommands(Command& root, Invocation& run);  // explain and validate
void AddContextCommands(Command& root, Invocation& run);
void AddCompletionCommands(Command& root, Invocation& run);
void AddDoctorCommand(Command& root, Invocation& run);
void AddHelpDumpCommand(Command& root, Invocation& run);

// All of the above, but for those that are verbs of others.
void AddCommands(Command& root, Invocation& run);

}  // namespace pinion::cli
