// pinion service list | show | create | set
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/pages.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "clients/cli/words.h"

namespace pinion::cli {
namespace {

constexpr char kVerifyHelp[] =
    "Whether calls wait until an instance is found to serve with the published schema (enforce); "
    "warn unless given";

bool IsDatabase(const v1::Service& service) { return service.kind() == v1::Service::DATABASE; }

std::string Fields(const v1::Service& service) {
  const routing::v1::Service& routing = service.service();
  const bool database = IsDatabase(service);
  return RenderFields({
      {"service", routing.name()},
      {"kind", database ? "database" : ""},
      {"description", service.description()},
      {"scheme", SchemeText(routing.scheme())},
      {"grpc services", absl::StrJoin(routing.grpc_services(), ", ")},
      {"unpinned", database ? "" : UnpinnedText(routing.unpinned())},
      {"version from package", routing.version_from_package() ? "yes" : ""},
      {"load balancing", database                                               ? ""
                         : routing.load_balancing() == routing::v1::ROUND_ROBIN ? "round-robin"
                                                                                : "least-request"},
      {"retries", database ? "" : RetryText(routing.retry_policy())},
      {"verify", database ? "" : VerificationText(service.verification())},
      {"owner", service.meta().owner()},
      {"changed",
       absl::StrCat(TimeText(service.meta().update_time()), " by ", service.meta().updated_by())},
      {"revision", absl::StrCat(service.meta().revision())},
  });
}

absl::Status List(Invocation& run) {
  ASSIGN_OR_RETURN(const v1::ListServicesResponse list,
                   AllPages(run.registry(), &RegistryClient::ListServices, {}));
  Table table({"SERVICE", "SCHEME", "UNPINNED", "OWNER", "GRPC SERVICES"});
  for (const v1::Service& service : list.services()) {
    table.Add({service.service().name(), SchemeText(service.service().scheme()),
               IsDatabase(service) ? "" : UnpinnedText(service.service().unpinned()),
               service.meta().owner(),
               IsDatabase(service) ? "a database"
                                   : absl::StrJoin(service.service().grpc_services(), ", ")});
  }
  run.Print(list, table.empty() ? "no services yet: publish one with `pinion version publish`\n"
                                : table.Render());
  return absl::OkStatus();
}

struct SetFlags {
  v1::UpdateServiceRequest update;
  std::string scheme;
  std::optional<std::string> unpinned;
  std::string version_from_package;
  std::string load_balancing;
  std::string verify;
  std::optional<std::string> retry;
  std::optional<std::string> description;
  std::optional<std::string> owner;
};

absl::Status FillUpdate(SetFlags& flags) {
  v1::UpdateServiceRequest& update = flags.update;
  if (flags.unpinned) {
    ASSIGN_OR_RETURN(*update.mutable_unpinned(), ParseUnpinned(*flags.unpinned));
  }
  if (!flags.version_from_package.empty()) {
    update.set_version_from_package(flags.version_from_package == "true");
  }
  if (!flags.load_balancing.empty()) {
    update.set_load_balancing(flags.load_balancing == "round-robin" ? routing::v1::ROUND_ROBIN
                                                                    : routing::v1::LEAST_REQUEST);
  }
  update.set_verification(ParseVerification(flags.verify));
  if (flags.retry) {
    ASSIGN_OR_RETURN(*update.mutable_retry_policy(), ParseRetry(*flags.retry));
  }
  if (flags.description) update.set_description(*flags.description);
  if (flags.owner) update.set_owner(*flags.owner);
  return absl::OkStatus();
}

absl::StatusOr<v1::Service> Create(Invocation& run, const SetFlags& flags) {
  v1::CreateServiceRequest create;
  routing::v1::Service& service = *create.mutable_service();
  service.set_name(flags.update.name());
  routing::v1::Scheme scheme = routing::v1::SCHEME_UNSPECIFIED;
  routing::v1::Scheme_Parse(flags.scheme, &scheme);
  service.set_scheme(scheme);
  if (flags.update.has_unpinned()) *service.mutable_unpinned() = flags.update.unpinned();
  service.set_version_from_package(flags.update.version_from_package());
  service.set_load_balancing(flags.update.load_balancing());
  if (flags.update.retry_policy().max_attempts() != 0) {
    *service.mutable_retry_policy() = flags.update.retry_policy();
  }
  create.set_verification(flags.update.verification());
  create.set_description(flags.update.description());
  create.set_owner(flags.update.owner());
  return run.registry().CreateService(create);
}

// A --scheme means that the service may have to be created: nothing else ever sets it.
absl::Status Set(Invocation& run, SetFlags& flags) {
  RETURN_IF_ERROR(FillUpdate(flags));
  absl::StatusOr<v1::Service> service = run.registry().UpdateService(flags.update);
  if (absl::IsNotFound(service.status()) && !flags.scheme.empty()) service = Create(run, flags);
  if (absl::IsNotFound(service.status())) {
    return WithMessage(service.status(),
                       absl::StrCat(service.status().message(),
                                    "; to create it, name its --scheme, or publish a version"));
  }
  RETURN_IF_ERROR(service.status());
  if (!flags.scheme.empty() && SchemeText(service->service().scheme()) != flags.scheme) {
    return absl::FailedPreconditionError(absl::StrCat(
        "service ", flags.update.name(), " has the scheme ",
        SchemeText(service->service().scheme()),
        ", and a scheme never changes; the rest was set. For another scheme publish under another "
        "service name"));
  }
  run.Print(*service, Fields(*service));
  return absl::OkStatus();
}

void AddCreate(Command& create, Invocation& run) {
  auto request = std::make_shared<v1::CreateServiceRequest>();
  auto kind = std::make_shared<std::string>("api");
  auto scheme = std::make_shared<std::string>();
  auto verify = std::make_shared<std::string>();
  create.Argument("SERVICE", request->mutable_service()->mutable_name(), "Name of the service");
  create.Choice(
      "--kind", {"api", "database"}, kind.get(),
      "Whether its versions are called, or are the steps of a database; api unless given");
  create.Choice("--scheme", {"SEMVER", "DATE", "K8S", "INTEGER"}, scheme.get(),
                "How its versions are ordered; INTEGER for a database, else SEMVER unless given");
  create.Choice("--verify", {"enforce", "warn", "off"}, verify.get(), kVerifyHelp);
  create.Option("--description", "TEXT", request->mutable_description(), "For people");
  create.Option("--owner", "NAME", request->mutable_owner(), "Who it belongs to; else you");
  create.Examples(
      "An API also comes into being with its first version; a database does not.\n"
      "  pinion service create db/people --kind database");
  create.Run([request, kind, scheme, verify, &run]() -> absl::Status {
    request->set_verification(ParseVerification(*verify));
    const bool database = *kind == "database";
    request->set_kind(database ? v1::Service::DATABASE : v1::Service::API);
    if (scheme->empty()) *scheme = database ? "INTEGER" : "SEMVER";
    routing::v1::Scheme parsed = routing::v1::SCHEME_UNSPECIFIED;
    routing::v1::Scheme_Parse(*scheme, &parsed);
    request->mutable_service()->set_scheme(parsed);
    ASSIGN_OR_RETURN(const v1::Service service, run.registry().CreateService(*request));
    run.Print(service, Fields(service));
    return absl::OkStatus();
  });
}

void AddSet(Command& set, Invocation& run) {
  auto flags = std::make_shared<SetFlags>();
  set.Argument("SERVICE", flags->update.mutable_name(), "Name of the service");
  set.Choice("--scheme", {"SEMVER", "DATE", "K8S", "INTEGER"}, &flags->scheme,
             "How its versions are ordered; creates the service if it does not exist");
  set.Option("--unpinned", "POLICY", &flags->unpinned,
             "What calls without a pin get: channel:NAME, pin-on-first-call[:NAME] or reject");
  set.Choice("--version-from-package", {"true", "false"}, &flags->version_from_package,
             "Whether calls to acme.v2.X ask for v2");
  set.Choice("--load-balancing", {"least-request", "round-robin"}, &flags->load_balancing,
             "How calls spread over a version's instances");
  set.Choice("--verify", {"enforce", "warn", "off"}, &flags->verify, kVerifyHelp);
  set.Option("--retry", "ATTEMPTS[:CODES]", &flags->retry,
             "Which failures are tried again, such as 3:UNAVAILABLE; none by default");
  set.Option("--description", "TEXT", &flags->description, "For people");
  set.Option("--owner", "NAME", &flags->owner, "Who it belongs to");
  DeclareExpectedRevision(set, flags->update, "it");
  set.Examples(
      "  pinion service set addressbook --unpinned reject\n"
      "  pinion service set addressbook --scheme SEMVER --owner payments");
  set.Run([flags, &run] { return Set(run, *flags); });
}

}  // namespace

void AddServiceCommands(Command& root, Invocation& run) {
  Command& service = root.Sub("service", "Services: what has versions and an owner");
  Command& list = service.Sub("list", "All services");
  list.Examples(
      "  pinion service list\n"
      "  pinion service list -o json");
  list.Run([&run] { return List(run); });

  Command& show = service.Sub("show", "One service");
  auto get = std::make_shared<v1::GetServiceRequest>();
  show.Argument("SERVICE", get->mutable_name(), "Name of the service");
  show.Examples("  pinion service show addressbook");
  show.Run([get, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::Service found, run.registry().GetService(*get));
    run.Print(found, Fields(found));
    return absl::OkStatus();
  });

  AddCreate(service.Sub("create", "Create a service, or a database"), run);
  AddSet(service.Sub("set", "Change a service, or create it"), run);
}

}  // namespace pinion::cli
