#include "clients/cli/instance_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "config/address.h"
#include "registry/model/instance_checks.h"

namespace pinion::cli {
namespace {

namespace v1 = registry::v1;
using model::VerdictText;

std::string Named(const v1::Instance& instance) {
  return absl::StrCat(instance.instance().service(), " ", instance.instance().version(), " at ",
                      config::ToString(instance.instance().address()));
}

std::string StateText(const v1::InstanceCheck& check) {
  return absl::StrCat(VerdictText(check.verdict()), check.held_back() ? ", no calls" : "");
}

}  // namespace

std::string RegisteredText(const v1::RegisterInstanceResponse& made) {
  const routing::v1::Instance& instance = made.instance().instance();
  const std::string version = absl::StrCat(instance.service(), " ", instance.version());
  std::string text =
      absl::StrCat("registered ", Named(made.instance()), " (uid ", instance.uid(), ")\n");
  if (made.instance().check().held_back()) {
    absl::StrAppend(&text, "it gets calls when the registry has found it ready: ",
                    "`pinion instance list ", version, "` shows it\n");
  }
  if (made.activated()) absl::StrAppend(&text, version, " is active now: calls may go to it\n");
  for (const std::string& channel : made.channels()) {
    absl::StrAppend(&text, "channel @", channel, " is ", instance.version(), "\n");
  }
  absl::StrAppend(&text, MovedText(made.moved()));
  return text;
}

std::string InstancesText(const v1::ListInstancesResponse& list) {
  if (list.instances().empty()) {
    return "no instances: register one with `pinion instance register`\n";
  }
  Table table({"SERVICE", "VERSION", "ADDRESS", "STATE", "LEASE", "WEIGHT", "ZONE", "UID"});
  std::string remarks;
  for (const v1::Instance& one : list.instances()) {
    const routing::v1::Instance& instance = one.instance();
    table.Add({instance.service(), instance.version(), config::ToString(instance.address()),
               StateText(one.check()),
               one.has_lease_ttl() ? DurationText(one.lease_ttl()) : "permanent",
               absl::StrCat(std::max(1u, instance.weight())), instance.zone(), instance.uid()});
    if (one.check().held_back()) {
      absl::StrAppend(&remarks, HeldBackText(one), "\n");
    } else if (one.check().verdict() == v1::InstanceCheck::DRIFTED) {
      absl::StrAppend(&remarks, config::ToString(instance.address()), " ", one.check().message(),
                      "\n");
    }
  }
  return absl::StrCat(table.Render(), remarks);
}

std::string HeldBackText(const v1::Instance& instance) {
  const v1::InstanceCheck& check = instance.check();
  return absl::StrCat(config::ToString(instance.instance().address()), " gets no calls: it ",
                      check.message().empty() ? absl::StrCat("is ", VerdictText(check.verdict()))
                                              : check.message());
}

std::string CheckedText(const v1::CheckInstanceResponse& checked) {
  std::string text =
      absl::StrCat(Named(checked.instance()), " is ", VerdictText(checked.found()),
                   checked.message().empty() ? "" : ": it ", checked.message(), "\n");
  for (const std::string& difference : checked.differences()) {
    absl::StrAppend(&text, "  ", difference, "\n");
  }
  absl::StrAppend(&text, checked.instance().check().held_back() ? "it gets no calls\n"
                                                                : "calls may go to it\n");
  return text;
}

}  // namespace pinion::cli
