// pinion status
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace pinion::cli {
namespace {

// "0123… at revision 812, 2026-11-30 01:09:50Z"; empty: it was not.
std::string RestoredFromText(const v1::GetStatusResponse& status) {
  if (status.restored_from().empty()) return "";
  const v1::RestoredFrom& from = status.restored_from(0);
  return absl::StrCat("registry ", from.registry_id(), " at revision ", from.revision(), ", ",
                      TimeText(from.restore_time()));
}

// What is worth knowing of the store's format: empty if it is the newest.
std::string FormatText(const v1::GetStatusResponse& status) {
  const int32_t format = status.store_format().format();
  if (format == status.newest_store_format()) return "";
  if (format > status.newest_store_format()) return absl::StrCat(format, ", of a newer pinion");
  return absl::StrCat(format,
                      ", of an older pinion; once no such registry uses the store: pinion "
                      "registry migrate");
}

absl::Status Status(Invocation& run) {
  ASSIGN_OR_RETURN(const v1::GetStatusResponse status, run.registry().GetStatus({}));
  std::string text = RenderFields({
      {"registry", status.registry_id()},
      {"version", status.binary_version()},
      {"restored from", RestoredFromText(status)},
      {"store", status.store()},
      {"store error", status.store_error()},
      {"format", FormatText(status)},
      {"revision", absl::StrCat(status.revision())},
      {"started", TimeText(status.start_time())},
      {"services", absl::StrCat(status.services())},
      {"versions", absl::StrCat(status.versions())},
      {"instances", status.instances_held_back() == 0
                        ? absl::StrCat(status.instances())
                        : absl::StrCat(status.instances(), ", ", status.instances_held_back(),
                                       " of them without calls: `pinion instance list` says why")},
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
  Table silent({"SILENT GATEWAY", "ROUTES BY REVISION", "PEER", "LAST REPORT"});
  for (const v1::Gateway& gateway : status.silent_gateways()) {
    silent.Add({gateway.gateway_id(), absl::StrCat(gateway.revision()), gateway.peer(),
                TimeText(gateway.report_time())});
  }
  if (!silent.empty()) {
    absl::StrAppend(&text, "\n", silent.Render(),
                    "stopped, cut off, or refusing this registry: its /readyz says why; "
                    "`pinion gateway forget ID` when it is gone for good\n");
  }
  run.Print(status, text);
  return absl::OkStatus();
}

}  // namespace

void AddStatusCommands(Command& root, Invocation& run) {
  Command& status = root.Sub("status", "The registry and the gateways that follow it");
  status.Examples(
      "  pinion status\n"
      "  pinion status -o json");
  status.Run([&run] { return Status(run); });
}

}  // namespace pinion::cli
