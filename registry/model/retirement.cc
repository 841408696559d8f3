#include "registry/model/retirement.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/counted.h"
#include "base/proto_duration.h"
#include "google/rpc/error_details.pb.h"
#include "registry/model/address.h"
#include "registry/model/errors.h"
#include "registry/model/lifecycle.h"
#include "registry/model/pins.h"

namespace pinion::model {
namespace {

using google::protobuf::Timestamp;
using registry::v1::RetirementBlocker;
using routing::v1::Version;

// What a refusal names of the blockers: its details travel in a header.
constexpr int kNamedBlockers = 10;

// What a person is told to use instead.
std::string SuccessorOf(const Version& version) {
  const std::string& successor = version.deprecation().successor();
  return successor.empty() ? "VERSION" : successor;
}

RetirementBlocker Blocker(RetirementBlocker::Kind kind, std::string subject, std::string message,
                          std::string command) {
  RetirementBlocker blocker;
  blocker.set_kind(kind);
  blocker.set_subject(std::move(subject));
  blocker.set_message(std::move(message));
  blocker.set_command(std::move(command));
  return blocker;
}

Timestamp EndOfWindow(const Timestamp& since, absl::Duration window) {
  Timestamp end = since;
  end.set_seconds(since.seconds() + absl::ToInt64Seconds(absl::Ceil(window, absl::Seconds(1))));
  return end;
}

// "2 h ago"
std::string AgoText(int64_t seconds) {
  if (seconds < 60) return "just now";
  if (seconds < 3600) return absl::StrCat(seconds / 60, " min ago");
  if (seconds < 48 * 3600) return absl::StrCat(seconds / 3600, " h ago");
  return absl::StrCat(seconds / (24 * 3600), " days ago");
}

}  // namespace

bool InRollbackWindow(const Timestamp& since, absl::Duration window, const Timestamp& now) {
  return EndOfWindow(since, window).seconds() > now.seconds();
}

std::vector<RetirementBlocker> StateBlockers(const Version& version, const Timestamp& now) {
  if (version.state() == routing::v1::ACTIVE) {
    return {Blocker(RetirementBlocker::STATE, VersionText(version),
                    "it is active, and nobody was told that it ends",
                    absl::StrCat("pinion version deprecate ", VersionText(version)))};
  }
  const routing::v1::Deprecation& deprecation = version.deprecation();
  const bool ahead = version.state() == routing::v1::DEPRECATED && deprecation.has_sunset_time() &&
                     deprecation.sunset_time().seconds() > now.seconds();
  if (!ahead) return {};
  RetirementBlocker blocker = Blocker(RetirementBlocker::SUNSET_AHEAD, VersionText(version),
                                      "callers were told that it lives until its sunset", "");
  *blocker.mutable_until() = deprecation.sunset_time();
  return {blocker};
}

RetirementBlocker PinBlocker(const Version& version, const PinUse& use,
                             const std::string& expression) {
  routing::v1::Pin pin;
  pin.set_consumer(use.consumer);
  pin.set_service(version.service());
  pin.set_method(use.method);
  const bool exact = expression == version.name();
  return Blocker(
      exact ? RetirementBlocker::PIN : RetirementBlocker::RANGE, PinName(pin),
      exact ? "is pinned to it"
            : absl::StrCat("is pinned to ", expression, ", which leads to it or nowhere"),
      absl::StrCat("pinion pin set ", use.consumer, " ", version.service(), " ",
                   SuccessorOf(version), use.method.empty() ? "" : " --method ", use.method));
}

RetirementBlocker ChannelBlocker(const Version& version, const std::string& channel) {
  return Blocker(RetirementBlocker::CHANNEL, absl::StrCat(version.service(), " @", channel),
                 "leads to it",
                 absl::StrCat("pinion channel set ", version.service(), " ", channel, " ",
                              SuccessorOf(version)));
}

RetirementBlocker RampBlocker(const Version& version, const std::string& channel) {
  return Blocker(RetirementBlocker::CHANNEL, absl::StrCat(version.service(), " @", channel),
                 "leads some consumers to it, by its ramp",
                 absl::StrCat("pinion channel ramp ", version.service(), " ", channel, " --stop"));
}

RetirementBlocker InstanceBlocker(const Version& version, const registry::v1::Instance& instance) {
  const std::string address = AddressText(instance.instance().address());
  return Blocker(RetirementBlocker::INSTANCE, address,
                 instance.has_lease_ttl()
                     ? "is an instance of it with a lease: its server still runs"
                     : "is an instance of it",
                 absl::StrCat("pinion instance deregister ", VersionText(version), " ", address));
}

RetirementBlocker WindowBlocker(absl::string_view who, const Timestamp& since,
                                absl::Duration window) {
  RetirementBlocker blocker = Blocker(
      RetirementBlocker::ROLLBACK_WINDOW, std::string(who),
      absl::StrCat("was moved away from it at ", UtcText(since), " and may want to go back"), "");
  *blocker.mutable_until() = EndOfWindow(since, window);
  return blocker;
}

absl::Status RefuseInUse(const Version& version, const std::vector<RetirementBlocker>& blockers,
                         absl::string_view verb, absl::string_view command) {
  const std::string summary = Summary(blockers);
  absl::Status status =
      Refusal(absl::StatusCode::kFailedPrecondition, "VERSION_IN_USE",
              absl::StrCat(VersionText(version), " cannot be ", verb, " yet: ", summary, "; `",
                           command, "` shows what has to go first, and how"),
              {{"service", version.service()}, {"version", version.name()}, {"blockers", summary}});
  google::rpc::PreconditionFailure failure;
  for (const RetirementBlocker& blocker : blockers) {
    if (failure.violations_size() == kNamedBlockers) break;
    auto& violation = *failure.add_violations();
    violation.set_type(RetirementBlocker::Kind_Name(blocker.kind()));
    violation.set_subject(blocker.subject());
    violation.set_description(blocker.message());
  }
  status.SetPayload(kPreconditionFailureUrl, absl::Cord(failure.SerializeAsString()));
  return status;
}

std::optional<int64_t> OpenCallsOf(const registry::v1::GatewayRecord& gateway,
                                   const Version& version, int64_t changed) {
  if (gateway.table_revision() < changed) return std::nullopt;
  for (const registry::v1::OpenCalls& open : gateway.open_calls()) {
    if (open.service() == version.service() && open.version() == version.name()) {
      return open.calls();
    }
  }
  if (gateway.more_open_calls()) return std::nullopt;
  return 0;
}

std::optional<RetirementBlocker> GatewayBlocker(const registry::v1::GatewayRecord& gateway,
                                                const Version& version, int64_t changed) {
  const std::string& id = gateway.gateway_id();
  const std::string subject = absl::StrCat("gateway ", id);
  const std::optional<int64_t> open = OpenCallsOf(gateway, version, changed);
  if (!open.has_value()) {
    return Blocker(RetirementBlocker::GATEWAY, subject,
                   absl::StrCat("has not said yet whether calls of it are open; it reports every ",
                                absl::FormatDuration(FromProto(gateway.interval())),
                                ", and if it is gone for good"),
                   absl::StrCat("pinion gateway forget ", id));
  }
  if (*open == 0) return std::nullopt;
  return Blocker(
      RetirementBlocker::STREAMS, subject,
      absl::StrCat("has ", Counted(*open, "call"),
                   " of it open; they end by themselves, or with the pins that chose it"),
      absl::StrCat("pinion pin set CONSUMER ", version.service(), " ", SuccessorOf(version),
                   " --drain 10m"));
}

RetirementBlocker UsageBlocker(const CallerUse& use, absl::Duration window, const Timestamp& now) {
  const std::string who = use.others             ? "other consumers"
                          : use.consumer.empty() ? "unregistered callers"
                                                 : use.consumer;
  std::string message =
      absl::StrCat("called it ", Counted(use.calls, "time"), " in the last ",
                   absl::FormatDuration(window), ", last ", AgoText(now.seconds() - use.last_seen));
  if (!use.last_method.empty()) absl::StrAppend(&message, ", ", use.last_method);
  if (use.other_methods > 0) {
    absl::StrAppend(&message, " and ", Counted(use.other_methods, "other method"));
  }
  RetirementBlocker blocker = Blocker(RetirementBlocker::USAGE, who, std::move(message), "");
  blocker.mutable_until()->set_seconds(use.last_seen + absl::ToInt64Seconds(window));
  return blocker;
}

std::string Summary(const std::vector<RetirementBlocker>& blockers) {
  std::map<RetirementBlocker::Kind, int> counts;
  for (const RetirementBlocker& blocker : blockers) ++counts[blocker.kind()];
  std::vector<std::string> parts;
  for (const auto& [kind, count] : counts) {
    switch (kind) {
      case RetirementBlocker::STATE:
        parts.push_back("it is active");
        break;
      case RetirementBlocker::SUNSET_AHEAD:
        parts.push_back("its sunset is ahead");
        break;
      case RetirementBlocker::PIN:
        parts.push_back(Counted(count, "pin"));
        break;
      case RetirementBlocker::RANGE:
        parts.push_back(Counted(count, "pinned range"));
        break;
      case RetirementBlocker::CHANNEL:
        parts.push_back(Counted(count, "channel"));
        break;
      case RetirementBlocker::INSTANCE:
        parts.push_back(Counted(count, "instance"));
        break;
      case RetirementBlocker::ROLLBACK_WINDOW:
        parts.push_back(Counted(count, "rollback window"));
        break;
      case RetirementBlocker::REQUIREMENT:
        parts.push_back(Counted(count, "requirement"));
        break;
      case RetirementBlocker::STREAMS:
        parts.push_back(Counted(count, "gateway") + " with open calls");
        break;
      case RetirementBlocker::GATEWAY:
        parts.push_back(Counted(count, "gateway") + " not heard of it");
        break;
      case RetirementBlocker::USAGE:
        parts.push_back(Counted(count, "caller") + " of late");
        break;
      default:
        break;
    }
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace pinion::model
