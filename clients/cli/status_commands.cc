// pinion status, pinion audit log
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/pages.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace pinion::cli {
namespace {

constexpr int64_t kDefaultAuditRecords = 50;

absl::Status Status(Invocation& run) {
  ASSIGN_OR_RETURN(const v1::GetStatusResponse status, run.registry().GetStatus({}));
  std::string text = RenderFields({
      {"registry", status.registry_id()},
      {"version", status.binary_version()},
      {"store", status.store()},
      {"revision", absl::StrCat(status.revision())},
      {"started", TimeText(status.start_time())},
      {"services", absl::StrCat(status.services())},
      {"versions", absl::StrCat(status.versions())},
      {"instances", absl::StrCat(status.instances())},
      {"consumers", absl::StrCat(status.consumers())},
      {"pins", absl::StrCat(status.pins())},
      {"gateways", absl::StrCat(status.gateways_size())},
  });
  Table gateways({"GATEWAY", "SENT REVISION", "PEER", "CONNECTED"});
  for (const v1::GatewayStatus& gateway : status.gateways()) {
    gateways.Add({gateway.gateway_id(), absl::StrCat(gateway.sent_revision()), gateway.peer(),
                  TimeText(gateway.connect_time())});
  }
  if (!gateways.empty()) absl::StrAppend(&text, "\n", gateways.Render());
  run.Print(status, text);
  return absl::OkStatus();
}

struct AuditFlags {
  v1::ListAuditRecordsRequest request;
  std::optional<int64_t> limit;
  bool all = false;
};

absl::StatusOr<v1::ListAuditRecordsResponse> Records(Invocation& run, const AuditFlags& flags) {
  if (flags.all) return AllPages(run.registry(), &RegistryClient::ListAuditRecords, flags.request);
  const int64_t limit = flags.limit.value_or(kDefaultAuditRecords);
  if (limit < 1) return UsageError("--limit is at least 1");
  v1::ListAuditRecordsResponse records;
  v1::ListAuditRecordsRequest request = flags.request;
  do {
    request.set_page_size(static_cast<int32_t>(limit - records.records_size()));
    ASSIGN_OR_RETURN(const v1::ListAuditRecordsResponse page,
                     run.registry().ListAuditRecords(request));
    request.set_page_token(page.next_page_token());
    records.MergeFrom(page);
  } while (!request.page_token().empty() && records.records_size() < limit);
  records.set_next_page_token(request.page_token());
  return records;
}

absl::Status AuditLog(Invocation& run, const AuditFlags& flags) {
  ASSIGN_OR_RETURN(const v1::ListAuditRecordsResponse records, Records(run, flags));
  Table table({"TIME", "ACTOR", "COMMAND", "OBJECT", "REVISION", "REASON"});
  for (const v1::AuditRecord& record : records.records()) {
    table.Add({TimeText(record.time()), record.actor(), record.command(), record.object(),
               absl::StrCat(record.revision()), record.reason()});
  }
  std::string text = table.empty() ? "no records\n" : table.Render();
  if (!records.next_page_token().empty()) {
    absl::StrAppend(&text, "older records: --limit N or --all; --json shows old and new values\n");
  }
  run.Print(records, text);
  return absl::OkStatus();
}

}  // namespace

void AddStatusCommands(Command& root, Invocation& run) {
  root.Sub("status", "The registry and the gateways that follow it").Run([&run] {
    return Status(run);
  });

  Command& log = root.Sub("audit", "Who changed what").Sub("log", "Changes, newest first");
  auto flags = std::make_shared<AuditFlags>();
  log.Option("--by", "NAME", flags->request.mutable_actor(), "Only changes by this actor");
  log.Option("--object", "TEXT", flags->request.mutable_object_contains(),
             "Only objects whose name contains this");
  log.Option("--limit", "N", &flags->limit, "How many; 50");
  log.Flag("--all", &flags->all, "All of them");
  log.Run([flags, &run] { return AuditLog(run, *flags); });
}

}  // namespace pinion::cli
