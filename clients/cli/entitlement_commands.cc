// pinion entitlement set | unset | get | list
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/pages.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "clients/cli/words.h"

namespace pinion::cli {
namespace {

// The words that name an entitlement, the same for every verb.
template <typename Request>
void DeclareEntitled(Command& command, Request& key) {
  command.Argument("CONSUMER", key.mutable_consumer(), "Who chooses");
  command.Argument("SERVICE", key.mutable_service(), "Among the versions of which service");
}

std::string KeyText(const std::string& consumer, const std::string& service) {
  return absl::StrCat(consumer, " ", service);
}

std::string SetText(const v1::SetEntitlementResponse& made) {
  const routing::v1::Entitlement& now = made.entitlement().entitlement();
  const std::string key = KeyText(now.consumer(), now.service());
  std::string text = absl::StrCat(key, " may choose ", now.expression());
  if (!made.changed()) {
    absl::StrAppend(&text, ", as it was\n");
  } else {
    absl::StrAppend(&text, "; before: ",
                    made.old_expression().empty() ? "all versions" : made.old_expression(), "\n");
  }
  for (const v1::Pin& outside : made.pins_outside()) {
    const routing::v1::Pin& pin = outside.pin();
    absl::StrAppend(&text, "outside of it, and goes on as it is: pin ",
                    KeyText(pin.consumer(), pin.service()), pin.method().empty() ? "" : " ",
                    pin.method(), ", ", pin.expression());
    if (pin.expression() != outside.resolved_version()) {
      absl::StrAppend(&text, " (", outside.resolved_version(), ")");
    }
    absl::StrAppend(&text, "\n");
  }
  if (!made.changed()) return text;
  absl::StrAppend(&text, "undo: pinion entitlement ",
                  made.old_expression().empty()
                      ? absl::StrCat("unset ", key)
                      : absl::StrCat("set ", key, " ", ShellWord(made.old_expression())),
                  "\n");
  return text;
}

std::string Fields(const v1::Entitlement& entitlement) {
  return RenderFields({
      {"consumer", entitlement.entitlement().consumer()},
      {"service", entitlement.entitlement().service()},
      {"may choose", entitlement.entitlement().expression()},
      {"owner", entitlement.meta().owner()},
      {"changed", absl::StrCat(TimeText(entitlement.meta().update_time()), " by ",
                               entitlement.meta().updated_by())},
      {"revision", absl::StrCat(entitlement.meta().revision())},
  });
}

void AddSet(Command& set, Invocation& run) {
  auto request = std::make_shared<v1::SetEntitlementRequest>();
  routing::v1::Entitlement& value = *request->mutable_entitlement();
  DeclareEntitled(set, value);
  set.Argument("EXPRESSION", value.mutable_expression(), "Exact or a range: 1.4.2, '^1 || ^2' …");
  DeclareExpectedRevision(set, *request, "it", Creates::kYes);
  DeclareReason(set, *request);
  set.Examples(
      "Limits what the consumer chooses by its pins, when they are set, and by api-version\n"
      "metadata. Pins that are there go on as they are, and channels lead where they lead.\n"
      "  pinion entitlement set billing addressbook '^1 || ^2'");
  set.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::SetEntitlementResponse made,
                     run.registry().SetEntitlement(*request));
    run.Print(made, SetText(made));
    return absl::OkStatus();
  });
}

void AddUnset(Command& unset, Invocation& run) {
  auto request = std::make_shared<v1::UnsetEntitlementRequest>();
  DeclareEntitled(unset, *request);
  DeclareExpectedRevision(unset, *request, "it");
  DeclareReason(unset, *request);
  unset.Examples("  pinion entitlement unset billing addressbook");
  unset.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::UnsetEntitlementResponse made,
                     run.registry().UnsetEntitlement(*request));
    const std::string& old = made.old_expression();
    run.Print(
        made,
        absl::StrCat(KeyText(request->consumer(), request->service()), " may choose all versions",
                     old.empty() ? ", as it was" : absl::StrCat("; before: ", old), "\n"));
    return absl::OkStatus();
  });
}

void AddGet(Command& get, Invocation& run) {
  auto request = std::make_shared<v1::GetEntitlementRequest>();
  DeclareEntitled(get, *request);
  get.Examples("  pinion entitlement get billing addressbook");
  get.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::Entitlement found, run.registry().GetEntitlement(*request));
    run.Print(found, Fields(found));
    return absl::OkStatus();
  });
}

void AddList(Command& list, Invocation& run) {
  auto request = std::make_shared<v1::ListEntitlementsRequest>();
  list.Option("--consumer", "CONSUMER", request->mutable_consumer(), "Only of this consumer");
  list.Option("--service", "SERVICE", request->mutable_service(), "Only for this service");
  list.Examples("  pinion entitlement list --consumer billing");
  list.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::ListEntitlementsResponse found,
                     AllPages(run.registry(), &RegistryClient::ListEntitlements, *request));
    Table table({"CONSUMER", "SERVICE", "MAY CHOOSE", "REVISION", "CHANGED BY", "CHANGED"});
    for (const v1::Entitlement& one : found.entitlements()) {
      table.Add({one.entitlement().consumer(), one.entitlement().service(),
                 one.entitlement().expression(), absl::StrCat(one.meta().revision()),
                 one.meta().updated_by(), TimeText(one.meta().update_time())});
    }
    run.Print(found, table.empty() ? "no entitlements: consumers may choose all versions\n"
                                   : table.Render());
    return absl::OkStatus();
  });
}

}  // namespace

void AddEntitlementCommands(Command& root, Invocation& run) {
  Command& entitlement =
      root.Sub("entitlement", "Which versions of a service a consumer may choose");
  AddSet(entitlement.Sub("set", "Limit what a consumer may choose"), run);
  AddUnset(entitlement.Sub("unset", "Let a consumer choose among all versions again"), run);
  AddGet(entitlement.Sub("get", "One entitlement"), run);
  AddList(entitlement.Sub("list", "Entitlements"), run);
}

}  // namespace pinion::cli
