// pinion instance register | deregister | list | check
#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/proto_duration.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/instance_text.h"
#include "clients/cli/pages.h"
#include "clients/cli/text.h"
#include "config/address.h"

namespace pinion::cli {
namespace {

constexpr int kRenewalsPerLease = 3;
// A renewal may take a quarter of the lease, so that two that hang leave time for a third.
constexpr int kRenewalTimeoutsPerLease = 4;
// How soon a renewal that the registry did not answer is tried again.
constexpr absl::Duration kRenewalRetry = absl::Seconds(1);

struct RegisterFlags {
  v1::RegisterInstanceRequest request;
  std::string address;
  std::optional<int64_t> weight;
  std::optional<absl::Duration> lease;
};

// Whether asking again may help: the registry is away, stopping or overloaded.
bool IsPassing(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kResourceExhausted:
      return true;
    default:
      return false;
  }
}

// Renews until the user stops the program, then deregisters. A registry that is away is waited for;
// a lease that expired meanwhile is registered anew.
absl::Status HoldLease(Invocation& run, const RegisterFlags& flags, std::string uid) {
  const absl::Duration interval = *flags.lease / kRenewalsPerLease;
  const absl::Duration patience = *flags.lease / kRenewalTimeoutsPerLease;
  absl::Time due = SystemClock().Monotonic() + interval;
  bool away = false;
  while (!run.WaitForStop(std::max(due - SystemClock().Monotonic(), absl::ZeroDuration()))) {
    const absl::Time begun = SystemClock().Monotonic();
    v1::RenewInstanceRequest renew;
    renew.set_uid(uid);
    absl::Status status = run.registry().RenewInstance(renew, patience).status();
    if (absl::IsNotFound(status)) {
      const absl::StatusOr<v1::RegisterInstanceResponse> again =
          run.registry().RegisterInstance(flags.request);
      status = again.status();
      if (again.ok()) uid = again->instance().instance().uid();
      if (again.ok()) run.Print(*again, RegisteredText(*again));
      run.out().flush();
    }
    if (!status.ok() && !IsPassing(status)) return status;
    if (!status.ok() && !away && run.for_people()) {
      run.out() << "trying until it succeeds: " << status.message() << std::endl;
    }
    away = !status.ok();
    due = begun + (status.ok() ? interval : std::min(patience, kRenewalRetry));
  }
  v1::DeregisterInstanceRequest deregister;
  deregister.set_uid(uid);
  RETURN_IF_ERROR(run.registry().DeregisterInstance(deregister).status());
  if (run.for_people()) run.out() << "deregistered " << uid << "\n";
  return absl::OkStatus();
}

absl::Status Register(Invocation& run, RegisterFlags& flags) {
  routing::v1::Instance& instance = *flags.request.mutable_instance();
  ASSIGN_OR_RETURN(*instance.mutable_address(), ReadAddress(flags.address, AddressUse::kRegister));
  if (flags.weight) {
    if (*flags.weight < 1 || *flags.weight > 1'000'000) {
      return UsageError("--weight is a number from 1 to 1000000");
    }
    instance.set_weight(static_cast<uint32_t>(*flags.weight));
  }
  if (flags.lease) {
    *flags.request.mutable_lease_ttl() = ToProto(*flags.lease);
    run.WaitForStop(absl::ZeroDuration());
    // It has nothing to read again, and must not end of what is meant for servers.
    run.OnReload([](Reload) {});
  }
  ASSIGN_OR_RETURN(const v1::RegisterInstanceResponse made,
                   run.registry().RegisterInstance(flags.request));
  run.Print(made, RegisteredText(made));
  if (!flags.lease) return absl::OkStatus();
  if (run.for_people()) {
    run.out() << "holding a lease of " << absl::FormatDuration(*flags.lease)
              << "; Ctrl-C deregisters\n";
  }
  run.out().flush();
  return HoldLease(run, flags, made.instance().instance().uid());
}

void AddRegister(Command& command, Invocation& run) {
  auto flags = std::make_shared<RegisterFlags>();
  routing::v1::Instance& instance = *flags->request.mutable_instance();
  command.Argument("SERVICE", instance.mutable_service(), "Name of the service");
  command.Argument("VERSION", instance.mutable_version(), "The version that the server runs");
  command.Argument("ADDRESS", &flags->address, "HOST:PORT, [IPV6]:PORT or unix:PATH");
  command.Option("--lease", "TTL", &flags->lease,
                 "Stay in the foreground and renew; the registration ends with this program. "
                 "Without it the registration is permanent");
  command.Option("--weight", "N", &flags->weight, "Share of the calls among the instances; 1");
  command.Option("--zone", "NAME", instance.mutable_zone(), "Where it runs");
  command.Option("--tls-name", "NAME", instance.mutable_tls_name(),
                 "Name that its certificate must show");
  command.Option("--owner", "NAME", flags->request.mutable_owner(), "Who it belongs to; else you");
  command.Examples(
      "  pinion instance register addressbook 1.0.0 127.0.0.1:9001\n"
      "  pinion instance register addressbook 1.0.0 127.0.0.1:9001 --lease 15s");
  command.Run([flags, &run] { return Register(run, *flags); });
}

absl::StatusOr<v1::ListInstancesResponse> ListAll(Invocation& run, const std::string& service,
                                                  const std::string& version) {
  v1::ListInstancesRequest request;
  request.set_service(service);
  request.set_version(version);
  return AllPages(run.registry(), &RegistryClient::ListInstances, request);
}

void AddInstanceArguments(Command& command, std::vector<std::string>* words) {
  command.Arguments("UID | SERVICE VERSION ADDRESS", words, 1, 3,
                    "The instance, by its uid or by what it was registered with");
}

// The uid of the instance that these words name.
absl::StatusOr<std::string> FindUid(Invocation& run, const std::vector<std::string>& words) {
  if (words.size() == 2) return UsageError("name a UID, or SERVICE VERSION ADDRESS");
  if (words.size() == 1) return words[0];
  ASSIGN_OR_RETURN(const routing::v1::Address address,
                   ReadAddress(words[2], AddressUse::kRegister));
  ASSIGN_OR_RETURN(const v1::ListInstancesResponse list, ListAll(run, words[0], words[1]));
  std::vector<std::string> addresses;
  for (const v1::Instance& instance : list.instances()) {
    const std::string at = config::ToString(instance.instance().address());
    if (at == config::ToString(address)) return instance.instance().uid();
    addresses.push_back(at);
  }
  return absl::NotFoundError(absl::StrCat(words[0], " ", words[1], " has no instance at ", words[2],
                                          addresses.empty() ? ": it has none" : ": it has ",
                                          absl::StrJoin(addresses, ", ")));
}

void AddDeregister(Command& command, Invocation& run) {
  auto words = std::make_shared<std::vector<std::string>>();
  AddInstanceArguments(command, words.get());
  command.Examples("  pinion instance deregister addressbook 1.0.0 127.0.0.1:9001");
  command.Run([words, &run]() -> absl::Status {
    v1::DeregisterInstanceRequest request;
    ASSIGN_OR_RETURN(*request.mutable_uid(), FindUid(run, *words));
    ASSIGN_OR_RETURN(const v1::DeregisterInstanceResponse response,
                     run.registry().DeregisterInstance(request));
    run.Print(response, absl::StrCat("deregistered ", request.uid(), "\n"));
    return absl::OkStatus();
  });
}

// Its exit status is the answer: whether the instance was found ready.
void AddCheck(Command& command, Invocation& run) {
  auto words = std::make_shared<std::vector<std::string>>();
  AddInstanceArguments(command, words.get());
  command.Examples("  pinion instance check addressbook 1.0.0 127.0.0.1:9001");
  command.Run([words, &run]() -> absl::Status {
    run.set_answers();
    v1::CheckInstanceRequest request;
    ASSIGN_OR_RETURN(*request.mutable_uid(), FindUid(run, *words));
    ASSIGN_OR_RETURN(const v1::CheckInstanceResponse checked,
                     run.registry().CheckInstance(request));
    run.Print(checked, CheckedText(checked));
    if (checked.found() != v1::InstanceCheck::READY) run.set_exit_status(kExitFailed);
    return absl::OkStatus();
  });
}

void AddList(Command& command, Invocation& run) {
  auto service = std::make_shared<std::string>();
  auto version = std::make_shared<std::string>();
  command.OptionalArgument("SERVICE", service.get(), "Only of this service");
  command.OptionalArgument("VERSION", version.get(), "Only of this version");
  command.Examples(
      "  pinion instance list\n"
      "  pinion instance list addressbook 1.0.0");
  command.Run([service, version, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::ListInstancesResponse list, ListAll(run, *service, *version));
    run.Print(list, InstancesText(list));
    return absl::OkStatus();
  });
}

}  // namespace

void AddInstanceCommands(Command& root, Invocation& run) {
  Command& instance = root.Sub("instance", "Running servers of versions");
  AddRegister(instance.Sub("register", "Tell where a server of a version runs"), run);
  AddDeregister(instance.Sub("deregister", "Take a server out"), run);
  AddList(instance.Sub("list", "Registered servers"), run);
  AddCheck(instance.Sub("check", "Ask a server now for its health and its schema"), run);
}

}  // namespace pinion::cli
