// pinion usage
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/proto_duration.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace pinion::cli {
namespace {

constexpr absl::Duration kDefaultSince = absl::Hours(24);

struct UsageFlags {
  v1::ListUsageRequest request;
  std::optional<std::string> consumer;
  std::optional<absl::Duration> since;
};

std::string ConsumerText(const v1::UsageTotal& total) {
  if (total.others()) return "(others)";
  return total.consumer().empty() ? "(unregistered)" : total.consumer();
}

absl::Status Usage(Invocation& run, UsageFlags& flags) {
  const absl::Duration since = flags.since.value_or(kDefaultSince);
  *flags.request.mutable_within() = ToProto(since);
  if (flags.consumer) flags.request.set_consumer(*flags.consumer);
  ASSIGN_OR_RETURN(const v1::ListUsageResponse usage, run.registry().ListUsage(flags.request));
  Table table({"SERVICE", "VERSION", "CONSUMER", "METHOD", "CALLS", "LAST SEEN"});
  for (const v1::UsageTotal& total : usage.totals()) {
    table.Add({total.service(), total.version(), ConsumerText(total), total.method(),
               absl::StrCat(total.calls()), TimeText(total.last_seen())});
  }
  std::string text = table.empty()
                         ? absl::StrCat("no calls in the last ", absl::FormatDuration(since), "\n")
                         : table.Render();
  if (usage.more()) {
    absl::StrAppend(&text, "and more: name a service, a version or a consumer\n");
  }
  run.Print(usage, text);
  return absl::OkStatus();
}

}  // namespace

void AddUsageCommand(Command& root, Invocation& run) {
  Command& usage = root.Sub("usage", "Who called which version, how often, and when last");
  auto flags = std::make_shared<UsageFlags>();
  usage.OptionalArgument("SERVICE", flags->request.mutable_service(), "Only calls to this service");
  usage.Option("--version", "VERSION", flags->request.mutable_version(),
               "Only calls that went to this version of it");
  usage.Option("--consumer", "CONSUMER", &flags->consumer,
               "Only calls of this one; '': of the unregistered");
  usage.Option("--method", "/PKG.SERVICE/METHOD", flags->request.mutable_method(),
               "Only calls of this method");
  usage.Option("--since", "DURATION", &flags->since,
               "Of so long ago up to now, in whole hours; 24h. Two weeks are kept");
  usage.Examples(
      "Gateways report every 30 seconds.\n"
      "  pinion usage addressbook --version 1.0.0 --since 72h");
  usage.Run([flags, &run] { return Usage(run, *flags); });
}

}  // namespace pinion::cli
