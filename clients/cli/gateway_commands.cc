// pinion gateway list | forget
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/counted.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace pinion::cli {
namespace {

// "addressbook 1.0.0: 3"
std::string OpenText(const v1::Gateway& gateway) {
  std::vector<std::string> parts;
  for (const v1::OpenCalls& open : gateway.open_calls()) {
    parts.push_back(absl::StrCat(open.service(), " ", open.version(), ": ", open.calls()));
  }
  if (gateway.more_open_calls()) parts.push_back("more");
  return absl::StrJoin(parts, ", ");
}

absl::Status List(Invocation& run) {
  ASSIGN_OR_RETURN(const v1::ListGatewaysResponse found, run.registry().ListGateways({}));
  Table table({"GATEWAY", "STATE", "REVISION", "LAST REPORT", "PEER", "OPEN CALLS ON WHAT ENDS"});
  for (const v1::Gateway& gateway : found.gateways()) {
    table.Add({gateway.gateway_id(), gateway.live() ? "live" : "away",
               absl::StrCat(gateway.revision()), TimeText(gateway.report_time()), gateway.peer(),
               OpenText(gateway)});
  }
  run.Print(found, table.empty() ? "no gateway has reported in the last day\n" : table.Render());
  return absl::OkStatus();
}

absl::Status Forget(Invocation& run, const v1::ForgetGatewayRequest& request) {
  ASSIGN_OR_RETURN(const v1::ForgetGatewayResponse made, run.registry().ForgetGateway(request));
  int open = 0;
  bool live = false;
  for (const v1::Gateway& gateway : made.forgotten()) {
    open += gateway.open_calls_size();
    live = live || gateway.live();
  }
  std::string text = absl::StrCat("forgot gateway ", request.gateway_id());
  if (open > 0) {
    absl::StrAppend(&text, ", which last had calls open of ", Counted(open, "version"),
                    " that end");
  }
  absl::StrAppend(&text, "\n");
  if (live) absl::StrAppend(&text, "if it still runs, it comes back with its next report\n");
  run.Print(made, text);
  return absl::OkStatus();
}

}  // namespace

void AddGatewayCommands(Command& gateway, Invocation& run) {
  Command& list = gateway.Sub("list", "Those that have reported to the registry in the last day");
  list.Run([&run] { return List(run); });
  list.Examples(
      "`pinion status` shows those that are connected to it now.\n"
      "  pinion gateway list");

  Command& forget = gateway.Sub("forget", "Wait no more for a gateway that is gone for good");
  auto request = std::make_shared<v1::ForgetGatewayRequest>();
  forget.Argument("ID", request->mutable_gateway_id(), "Its node.id, or the name of its machine");
  forget.Option("--reason", "TEXT", request->mutable_reason(), "For the audit log");
  forget.Examples(
      "Retiring a version waits for what every gateway says of its open calls.\n"
      "  pinion gateway forget edge-1 --reason 'machine taken down'");
  forget.Run([request, &run] { return Forget(run, *request); });
}

}  // namespace pinion::cli
