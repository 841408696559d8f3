// pinion pin set | unset | rollback | get | list | history
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/proto_duration.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/jobs.h"
#include "clients/cli/pages.h"
#include "clients/cli/plan_text.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "clients/cli/words.h"

namespace pinion::cli {
namespace {

std::string KeyText(const routing::v1::Pin& pin) {
  return absl::StrCat(pin.consumer(), " ", pin.service(),
                      pin.method().empty() ? "" : absl::StrCat(" ", pin.method()));
}

std::string MeaningText(const std::string& expression, const std::string& version) {
  return absl::StrCat(
      expression, version.empty() ? " (no active version yet)" : absl::StrCat(" (", version, ")"));
}

// "billing addressbook: ^1 (1.0.0) → ^2 (2.0.0)", and how to undo it.
std::string ChangedText(const v1::PinResponse& response) {
  const routing::v1::Pin& pin = response.pin().pin();
  const std::string now = MeaningText(pin.expression(), response.pin().resolved_version());
  if (!response.changed()) {
    return absl::StrCat(KeyText(pin), ": ", now, ", as it was\n");
  }
  std::string text = absl::StrCat(KeyText(pin), ": ");
  if (!response.old_expression().empty()) {
    absl::StrAppend(&text, MeaningText(response.old_expression(), response.old_version()), " → ");
  }
  absl::StrAppend(&text, now, "\n");
  if (!response.old_expression().empty()) {
    absl::StrAppend(&text, "undo: pinion pin rollback ", pin.consumer(), " ", pin.service(),
                    pin.method().empty() ? "" : absl::StrCat(" --method ", ShellWord(pin.method())),
                    "\n");
  }
  return text;
}

std::string Fields(const v1::Pin& pin) {
  return RenderFields({
      {"consumer", pin.pin().consumer()},
      {"service", pin.pin().service()},
      {"method", pin.pin().method()},
      {"expression", pin.pin().expression()},
      {"version", pin.resolved_version().empty() ? "none active yet" : pin.resolved_version()},
      {"drain", DurationText(pin.pin().drain())},
      {"changed",
       absl::StrCat(TimeText(pin.meta().update_time()), " by ", pin.meta().updated_by())},
      {"revision", absl::StrCat(pin.meta().revision())},
  });
}

struct SetFlags {
  v1::SetPinRequest request;
  std::optional<absl::Duration> drain;
  // Many at once.
  v1::MovePins move;
  bool detach = false;

  std::string at;
  bool dry_run = false;
};

absl::Status CheckSetFlags(const SetFlags& flags) {
  const routing::v1::Pin& pin = flags.request.pin();
  const bool many = !flags.move.service().empty();
  if (!many && (!flags.move.from().empty() || !flags.move.to().empty() || flags.detach)) {
    return UsageError("--from, --to and --detach go with --all-consumers-of SERVICE");
  }
  if (!many && pin.expression().empty()) {
    return UsageError(
        "name CONSUMER, SERVICE and EXPRESSION, or --all-consumers-of SERVICE with --from and "
        "--to");
  }
  if (!many) return absl::OkStatus();
  if (!pin.consumer().empty() || !pin.method().empty() || flags.request.has_expected_revision()) {
    return UsageError(
        "--all-consumers-of moves every pin that says --from: no consumer, --method or "
        "--expected-revision goes with it");
  }
  if (flags.move.from().empty() || flags.move.to().empty()) {
    return UsageError("--all-consumers-of needs --from EXPRESSION and --to EXPRESSION");
  }
  return absl::OkStatus();
}

// What the flags ask for as a job.
absl::Status SetByJob(Invocation& run, const SetFlags& flags, bool many) {
  v1::StartJobRequest request;
  if (many) {
    *request.mutable_move_pins() = flags.move;
    request.set_reason(flags.request.reason());
  } else {
    *request.mutable_set_pin() = flags.request;
  }
  return StartJob(run, std::move(request), {.at = flags.at, .detach = flags.detach || !many});
}

absl::Status Set(Invocation& run, SetFlags& flags) {
  RETURN_IF_ERROR(CheckSetFlags(flags));
  const bool many = !flags.move.service().empty();
  if (flags.drain) {
    *flags.request.mutable_pin()->mutable_drain() = ToProto(*flags.drain);
    *flags.move.mutable_drain() = ToProto(*flags.drain);
  }
  if (flags.dry_run) {
    v1::PlanRequest plan;
    if (many) {
      *plan.mutable_move_pins() = flags.move;
    } else {
      *plan.mutable_set_pin() = flags.request;
    }
    return PrintPlan(run, plan);
  }
  if (many || !flags.at.empty()) return SetByJob(run, flags, many);
  ASSIGN_OR_RETURN(const v1::PinResponse response, run.registry().SetPin(flags.request));
  run.Print(response, ChangedText(response));
  return absl::OkStatus();
}

void AddSet(Command& command, Invocation& run) {
  auto flags = std::make_shared<SetFlags>();
  routing::v1::Pin& pin = *flags->request.mutable_pin();
  command.OptionalArgument("CONSUMER", pin.mutable_consumer(), "Whose calls");
  command.OptionalArgument("SERVICE", pin.mutable_service(), "Calls to which service");
  command.OptionalArgument("EXPRESSION", pin.mutable_expression(),
                           "What it should get: 1.4.2, '^1.4', '>=1.2 <2', @stable …");
  DeclareMethod(command, pin);
  DeclareExpectedRevision(command, flags->request, "the pin", Creates::kYes);
  command.Option("--drain", "DURATION", &flags->drain,
                 "End streams on the old version after this time; else they run to their end");
  DeclareReason(command, flags->request, "For the history");
  command.Option("--at", "MOMENT", &flags->at,
                 "Not now: 'monday 09:00', '2026-12-07 09:00', 2026-12-07T09:00:00Z");
  command.Flag("--dry-run", &flags->dry_run, "Only say what it would do, as `pinion plan` does");
  command.Option("--all-consumers-of", "SERVICE", flags->move.mutable_service(),
                 "Instead of the three names: every pin of this service that says --from");
  command.Option("--from", "EXPRESSION", flags->move.mutable_from(), "What these pins say");
  command.Option("--to", "EXPRESSION", flags->move.mutable_to(), "What they are to say");
  command.Flag("--detach", &flags->detach, "Do not wait until all of them are moved");
  command.Examples(
      "  pinion pin set billing addressbook '^1'\n"
      "  pinion pin set billing addressbook 2.0.0 --drain 10m --reason 'new address fields'\n"
      "  pinion pin set billing addressbook '^2' --at 'monday 09:00'\n"
      "  pinion pin set --all-consumers-of addressbook --from '^1' --to '^2' --dry-run");
  command.Run([flags, &run] { return Set(run, *flags); });
}

void AddUnset(Command& command, Invocation& run) {
  auto request = std::make_shared<v1::UnsetPinRequest>();
  DeclareKey(command, *request);
  DeclareMethod(command, *request);
  DeclareExpectedRevision(command, *request, "the pin");
  DeclareReason(command, *request, "For the history");
  command.Examples(
      "The service's policy for the unpinned holds from then on.\n"
      "  pinion pin unset billing addressbook");
  command.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::UnsetPinResponse response, run.registry().UnsetPin(*request));
    routing::v1::Pin pin;
    pin.set_consumer(request->consumer());
    pin.set_service(request->service());
    pin.set_method(request->method());
    const std::string& old = response.old_expression();
    run.Print(response, absl::StrCat(KeyText(pin), ": ",
                                     old.empty() ? "there was no pin" : old + " → no pin", "\n"));
    return absl::OkStatus();
  });
}

void AddRollback(Command& command, Invocation& run) {
  auto request = std::make_shared<v1::RollbackPinRequest>();
  DeclareKey(command, *request);
  DeclareMethod(command, *request);
  command.Option(
      "--to", "SEQUENCE", [request](int64_t sequence) { request->set_to_sequence(sequence); },
      "The change to return to (`pinion pin history`); else the one before");
  DeclareExpectedRevision(command, *request, "the pin");
  DeclareReason(command, *request, "For the history");
  command.Examples(
      "Rolling back twice is where one began.\n"
      "  pinion pin rollback billing addressbook\n"
      "  pinion pin rollback billing addressbook --to 3");
  command.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::PinResponse response, run.registry().RollbackPin(*request));
    run.Print(response, ChangedText(response));
    return absl::OkStatus();
  });
}

void AddGet(Command& command, Invocation& run) {
  auto request = std::make_shared<v1::GetPinRequest>();
  DeclareKey(command, *request);
  DeclareMethod(command, *request);
  command.Examples("  pinion pin get billing addressbook");
  command.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::Pin pin, run.registry().GetPin(*request));
    run.Print(pin, Fields(pin));
    return absl::OkStatus();
  });
}

void AddList(Command& command, Invocation& run) {
  auto request = std::make_shared<v1::ListPinsRequest>();
  command.Option("--consumer", "CONSUMER", request->mutable_consumer(), "Only of this consumer");
  command.Option("--service", "SERVICE", request->mutable_service(), "Only for this service");
  command.Examples(
      "  pinion pin list\n"
      "  pinion pin list --service addressbook -o json");
  command.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::ListPinsResponse list,
                     AllPages(run.registry(), &RegistryClient::ListPins, *request));
    Table table({"CONSUMER", "SERVICE", "METHOD", "EXPRESSION", "VERSION", "REVISION", "CHANGED"});
    for (const v1::Pin& one : list.pins()) {
      table.Add({one.pin().consumer(), one.pin().service(), one.pin().method(),
                 one.pin().expression(), one.resolved_version(),
                 absl::StrCat(one.meta().revision()), TimeText(one.meta().update_time())});
    }
    run.Print(list, table.empty() ? "no pins: set one with `pinion pin set`\n" : table.Render());
    return absl::OkStatus();
  });
}

void AddHistory(Command& command, Invocation& run) {
  auto request = std::make_shared<v1::ListPinHistoryRequest>();
  DeclareKey(command, *request);
  DeclareMethod(command, *request);
  command.Examples("  pinion pin history billing addressbook");
  command.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::ListPinHistoryResponse list,
                     AllPages(run.registry(), &RegistryClient::ListPinHistory, *request));
    Table table({"SEQUENCE", "KIND", "EXPRESSION", "VERSION", "BEFORE", "ACTOR", "TIME", "REASON"});
    for (const v1::PinChange& change : list.changes()) {
      std::string kind = v1::PinChange::Kind_Name(change.kind());
      if (change.returns_to() != 0) absl::StrAppend(&kind, " to ", change.returns_to());
      table.Add({absl::StrCat(change.sequence()), kind, change.expression(), change.version(),
                 change.old_expression(), change.actor(), TimeText(change.time()),
                 change.reason()});
    }
    run.Print(list, table.empty() ? "this pin was never set\n" : table.Render());
    return absl::OkStatus();
  });
}

}  // namespace

void AddPinCommands(Command& root, Invocation& run) {
  Command& pin = root.Sub("pin", "Which version a consumer's calls go to");
  AddSet(pin.Sub("set", "Pin a consumer's calls"), run);
  AddUnset(pin.Sub("unset", "Remove a pin"), run);
  AddRollback(pin.Sub("rollback", "Return to what the pin said before"), run);
  AddGet(pin.Sub("get", "One pin and what it means now"), run);
  AddList(pin.Sub("list", "Pins"), run);
  AddHistory(pin.Sub("history", "All changes of a pin, newest first"), run);
}

}  // namespace pinion::cli
