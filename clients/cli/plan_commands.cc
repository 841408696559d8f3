// pinion plan NOUN VERB …: the commands that move callers, asked for what they would do
#include <memory>
#include <string>

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/plan_text.h"
#include "clients/cli/text.h"
#include "clients/cli/words.h"

namespace pinion::cli {
namespace {

// A verb that asks for the plan of what `request` holds when the line is parsed.
void Ask(Command& command, const std::shared_ptr<v1::PlanRequest>& request, Invocation& run) {
  command.Run([request, &run] { return PrintPlan(run, *request); });
}

void AddPins(Command& plan, Invocation& run) {
  Command& pin = plan.Sub("pin", "Of a consumer's pin");
  auto set = std::make_shared<v1::PlanRequest>();
  Command& set_command = pin.Sub("set", "What `pin set` would do");
  routing::v1::Pin& asked = *set->mutable_set_pin()->mutable_pin();
  DeclareKey(set_command, asked);
  set_command.Argument("EXPRESSION", asked.mutable_expression(), "What it should get");
  DeclareMethod(set_command, asked);
  set_command.Examples("  pinion plan pin set billing addressbook '^2'");
  Ask(set_command, set, run);

  auto unset = std::make_shared<v1::PlanRequest>();
  Command& unset_command = pin.Sub("unset", "What `pin unset` would do");
  DeclareKey(unset_command, *unset->mutable_unset_pin());
  DeclareMethod(unset_command, *unset->mutable_unset_pin());
  unset_command.Examples("  pinion plan pin unset billing addressbook");
  Ask(unset_command, unset, run);

  auto rollback = std::make_shared<v1::PlanRequest>();
  Command& rollback_command = pin.Sub("rollback", "What `pin rollback` would do");
  DeclareKey(rollback_command, *rollback->mutable_rollback_pin());
  DeclareMethod(rollback_command, *rollback->mutable_rollback_pin());
  rollback_command.Examples("  pinion plan pin rollback billing addressbook");
  Ask(rollback_command, rollback, run);
}

void AddChannels(Command& plan, Invocation& run) {
  Command& channel = plan.Sub("channel", "Of a channel");
  auto set = std::make_shared<v1::PlanRequest>();
  Command& set_command = channel.Sub("set", "What `channel set` would do");
  routing::v1::Channel& asked = *set->mutable_set_channel()->mutable_channel();
  DeclareChannel(set_command, asked);
  set_command.Argument("VERSION", asked.mutable_version(), "Name of the version");
  set_command.Examples("  pinion plan channel set addressbook stable 2.0.0");
  Ask(set_command, set, run);
}

void AddVersions(Command& plan, Invocation& run) {
  Command& version = plan.Sub("version", "Of a version's life");
  auto activate = std::make_shared<v1::PlanRequest>();
  Command& activate_command = version.Sub(
      "activate", "What its first instance would do; of a database, `version activate`");
  DeclareVersion(activate_command, *activate->mutable_activate_version());
  activate_command.Examples("  pinion plan version activate addressbook 2.0.0");
  Ask(activate_command, activate, run);

  struct Deprecation {
    v1::PlanRequest request;
    std::string sunset;
  };
  auto deprecation = std::make_shared<Deprecation>();
  Command& deprecate =
      version.Sub("deprecate", "What `version deprecate` would do, and its sunset");
  DeclareVersion(deprecate, *deprecation->request.mutable_deprecate_version());
  deprecate.Option("--sunset", "DATE", &deprecation->sunset, "As of `version deprecate`");
  deprecate.Examples("  pinion plan version deprecate addressbook 1.0.0 --sunset 2027-03-01");
  deprecate.Run([deprecation, &run]() -> absl::Status {
    if (!deprecation->sunset.empty()) {
      ASSIGN_OR_RETURN(*deprecation->request.mutable_deprecate_version()->mutable_sunset_time(),
                       ParseTime("--sunset", deprecation->sunset));
    }
    return PrintPlan(run, deprecation->request);
  });

  auto reactivate = std::make_shared<v1::PlanRequest>();
  Command& reactivate_command = version.Sub("reactivate", "What `version reactivate` would do");
  DeclareVersion(reactivate_command, *reactivate->mutable_reactivate_version());
  reactivate_command.Examples("  pinion plan version reactivate addressbook 1.0.0");
  Ask(reactivate_command, reactivate, run);

  struct Retirement {
    v1::PlanRequest request;
    bool force = false;
  };
  auto retirement = std::make_shared<Retirement>();
  Command& retire = version.Sub("retire", "What `version retire` would do");
  DeclareVersion(retire, *retirement->request.mutable_retire_version());
  retire.Flag("--force", &retirement->force, "Whatever uses it");
  retire.Examples("  pinion plan version retire addressbook 1.0.0");
  retire.Run([retirement, &run] {
    retirement->request.mutable_retire_version()->set_force(retirement->force);
    return PrintPlan(run, retirement->request);
  });
}

}  // namespace

void AddPlanCommands(Command& root, Invocation& run) {
  Command& plan = root.Sub("plan", "What a change would do, and to whom, before it is made");
  plan.Examples(
      "Ends with 0 if the change would be made, and with 1 if it would be refused.\n"
      "  pinion plan pin set billing addressbook '^2'\n"
      "  pinion plan channel set addressbook stable 2.0.0\n"
      "  pinion plan version retire addressbook 1.0.0\n"
      "Of many pins: pinion pin set --all-consumers-of addressbook --from '^1' --to '^2' "
      "--dry-run");
  AddPins(plan, run);
  AddChannels(plan, run);
  AddVersions(plan, run);
}

}  // namespace pinion::cli
