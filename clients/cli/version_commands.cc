// pinion version publish | list | show, pinion schema get | digest (check: schema_check_command.cc)
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/counted.h"
#include "base/read_file.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/pages.h"
#include "clients/cli/publish_trial.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "clients/cli/words.h"
#include "config/waivers.h"

namespace pinion::cli {
namespace {

// As much as the connection to the registry takes.
constexpr size_t kMaxDescriptorSetBytes = 64 << 20;

struct PublishFlags {
  v1::PublishVersionRequest request;
  std::string scheme;
  std::string descriptor_set;
  std::vector<std::string> requires_;
  std::vector<std::string> metadata;
  std::vector<std::string> grpc_services;
  std::string waivers;
  bool dry_run = false;
};

absl::StatusOr<std::pair<std::string, std::string>> KeyValue(const std::string& text,
                                                             absl::string_view flag,
                                                             absl::string_view form) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return UsageError(absl::StrCat(flag, " \"", text, "\": write ", form));
  }
  return std::make_pair(text.substr(0, equals), text.substr(equals + 1));
}

absl::Status Fill(PublishFlags& flags) {
  v1::PublishVersionRequest& request = flags.request;
  if (!flags.scheme.empty()) {
    routing::v1::Scheme scheme = routing::v1::SCHEME_UNSPECIFIED;
    routing::v1::Scheme_Parse(flags.scheme, &scheme);
    request.set_scheme(scheme);
  }
  if (!flags.waivers.empty()) {
    ASSIGN_OR_RETURN(auto waivers, config::LoadWaivers(flags.waivers));
    *request.mutable_waivers() = std::move(*waivers.mutable_waivers());
  }
  if (!flags.descriptor_set.empty()) {
    absl::StatusOr<std::string> bytes = ReadFile(flags.descriptor_set, kMaxDescriptorSetBytes);
    if (!bytes.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(flags.descriptor_set, ": ", bytes.status().message()));
    }
    if (bytes->empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          flags.descriptor_set,
          ": is empty; make a descriptor set with `protoc --include_imports "
          "--descriptor_set_out=FILE`, or leave --descriptor-set out to publish without a schema"));
    }
    request.set_descriptor_set(*std::move(bytes));
  }
  for (const std::string& text : flags.requires_) {
    ASSIGN_OR_RETURN(*request.add_requirements(), ParseRequirement("--requires", text));
  }
  for (const std::string& text : flags.metadata) {
    ASSIGN_OR_RETURN(const auto entry, KeyValue(text, "--metadata", "NAME=VALUE"));
    (*request.mutable_metadata())[entry.first] = entry.second;
  }
  request.mutable_grpc_services()->Assign(flags.grpc_services.begin(), flags.grpc_services.end());
  return absl::OkStatus();
}

// A finding about the descriptor set names the file that it came from.
absl::Status NameFile(const PublishFlags& flags, const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  if (reason != "DESCRIPTOR_SET_MALFORMED" && reason != "IMPORTS_MISSING") return status;
  return WithMessage(status, absl::StrCat(flags.descriptor_set, ": ", status.message()));
}

// What a person wants to know who has just published, and what comes next.
absl::StatusOr<std::string> PublishedText(Invocation& run, const v1::PublishVersionResponse& made) {
  const routing::v1::Version& version = made.version().version();
  const std::string name = absl::StrCat(version.service(), " ", version.name());
  std::string text;
  if (made.service_created()) {
    v1::GetServiceRequest get;
    get.set_name(version.service());
    ASSIGN_OR_RETURN(const v1::Service service, run.registry().GetService(get));
    absl::StrAppend(&text, "created service ", version.service(), ": scheme ",
                    SchemeText(service.service().scheme()), ", owner ", service.meta().owner(),
                    "\n");
  }
  std::vector<std::string> grpc_services;
  for (const routing::v1::GrpcMethods& methods : version.methods()) {
    grpc_services.push_back(methods.grpc_service());
  }
  absl::StrAppend(&text, made.created() ? "published " : "already published, the same: ", name,
                  made.service_kind() == v1::Service::DATABASE ? ", a step of a database"
                  : grpc_services.empty()
                      ? ", without a schema"
                      : absl::StrCat(", serving ", absl::StrJoin(grpc_services, ", ")),
                  "\n");
  if (made.created()) {
    const bool database = made.service_kind() == v1::Service::DATABASE;
    const bool asks = !made.version().requirements().empty() || !made.version().ends().empty();
    absl::StrAppend(&text,
                    "next: ", asks ? absl::StrCat("pinion can-deploy ", name, ", then ") : "",
                    database ? absl::StrCat("pinion version activate ", name)
                             : absl::StrCat("pinion instance register ", name, " HOST:PORT"),
                    "\n");
  }
  return text;
}

absl::Status Try(Invocation& run, const PublishFlags& flags) {
  std::string waived;
  const auto answer = TryPublish(run, flags.request, waived);
  if (!answer.ok()) return NameFile(flags, answer.status());
  const routing::v1::Version& version = answer->version().version();
  run.Print(*answer,
            absl::StrCat(waived, waived.empty() ? "" : "\n", version.service(), " ", version.name(),
                         answer->created() ? " can be published" : " is published, the same",
                         answer->service_created() ? ", as the first of its service" : "", "\n"));
  return absl::OkStatus();
}

void AddPublish(Command& publish, Invocation& run) {
  auto flags = std::make_shared<PublishFlags>();
  publish.Argument("SERVICE", flags->request.mutable_service(),
                   "Name of the service; created if it does not exist");
  publish.Argument("VERSION", flags->request.mutable_name(), "Name of the version, e.g. 1.4.2");
  publish.Option("--descriptor-set", "FILE", &flags->descriptor_set,
                 "Schema: a FileDescriptorSet with all imports");
  publish.Choice("--scheme", {"SEMVER", "DATE", "K8S", "INTEGER"}, &flags->scheme,
                 "How versions are ordered, for a new service; else what VERSION looks like");
  publish.Option("--notes", "TEXT", flags->request.mutable_notes(), "What changed, for people");
  publish.Option("--owner", "NAME", flags->request.mutable_owner(), "Who it belongs to; else you");
  publish.Option(
      "--requires", "'SERVICE EXPRESSION'", &flags->requires_,
      "What this version needs: 'ledger ^2', 'db/people >=2'; may be given several times");
  publish.Option("--ends", "EXPRESSION", flags->request.mutable_ends(),
                 "Of a database's step: the steps that its activation retires, such as '<3'");
  publish.Option("--metadata", "NAME=VALUE", &flags->metadata, "Anything for programs");
  publish.Option("--grpc-service", "NAME", &flags->grpc_services,
                 "A gRPC service of the schema that this version serves; else all");
  publish.Option("--waivers", "FILE", &flags->waivers,
                 "YAML: breaking findings that somebody has decided to live with, for a while");
  publish.Flag("--dry-run", &flags->dry_run,
               "Only say whether its name and its schema would be accepted, and change nothing");
  publish.Examples(
      "Publishing in CI moves nobody: a version is routed to from its first instance on.\n"
      "  protoc --include_imports --descriptor_set_out=v1.binpb addressbook.proto\n"
      "  pinion version publish addressbook 1.0.0 --descriptor-set v1.binpb --dry-run\n"
      "  pinion version publish addressbook 1.0.0 --descriptor-set v1.binpb");
  publish.Run([flags, &run]() -> absl::Status {
    RETURN_IF_ERROR(Fill(*flags));
    if (flags->dry_run) return Try(run, *flags);
    const auto made = run.registry().PublishVersion(flags->request);
    if (!made.ok()) return NameFile(*flags, made.status());
    std::string text;
    if (run.for_people()) {
      ASSIGN_OR_RETURN(text, PublishedText(run, *made));
    }
    run.Print(*made, text);
    return absl::OkStatus();
  });
}

void AddList(Command& list, Invocation& run) {
  auto request = std::make_shared<v1::ListVersionsRequest>();
  list.OptionalArgument("SERVICE", request->mutable_service(), "Only of this service");
  list.Examples(
      "  pinion version list addressbook\n"
      "  pinion version list addressbook -o yaml");
  list.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::ListVersionsResponse versions,
                     AllPages(run.registry(), &RegistryClient::ListVersions, *request));
    Table table({"SERVICE", "VERSION", "STATE", "SCHEMA", "OWNER", "PUBLISHED"});
    for (const v1::Version& version : versions.versions()) {
      table.Add({version.version().service(), version.version().name(),
                 routing::v1::VersionState_Name(version.version().state()),
                 ShortDigest(version.version().schema_digest()), version.meta().owner(),
                 TimeText(version.meta().create_time())});
    }
    run.Print(versions, table.empty()
                            ? "no versions yet: publish one with `pinion version publish`\n"
                            : table.Render());
    return absl::OkStatus();
  });
}

std::string Fields(const v1::Version& version) {
  const routing::v1::Version& routing = version.version();
  std::vector<std::string> requirements;
  for (const v1::Requirement& one : version.requirements()) {
    requirements.push_back(absl::StrCat(one.service(), " ", one.expression()));
  }
  std::string text = RenderFields({
      {"service", routing.service()},
      {"version", routing.name()},
      {"state", routing::v1::VersionState_Name(routing.state())},
      {"schema digest", routing.schema_digest()},
      {"requires", absl::StrJoin(requirements, ", ")},
      {"ends", version.ends()},
      {"notes", version.notes()},
      {"owner", version.meta().owner()},
      {"published",
       absl::StrCat(TimeText(version.meta().create_time()), " by ", version.meta().created_by())},
      {"active since", TimeText(version.activate_time())},
      {"deprecated", TimeText(routing.deprecation().time())},
      {"sunset", TimeText(routing.deprecation().sunset_time())},
      {"successor", routing.deprecation().successor()},
      {"link", routing.deprecation().link()},
      {"retired", TimeText(version.retire_time())},
      {"revision", absl::StrCat(version.meta().revision())},
  });
  for (const routing::v1::GrpcMethods& methods : routing.methods()) {
    for (const std::string& method : methods.methods()) {
      absl::StrAppend(&text, "  /", methods.grpc_service(), "/", method, "\n");
    }
  }
  return text;
}

void AddSchema(Command& root, Invocation& run) {
  Command& schema = root.Sub("schema", "Schemas as published, and what breaks between two");
  auto request = std::make_shared<v1::GetVersionSchemaRequest>();
  auto path = std::make_shared<std::string>();

  Command& get = schema.Sub("get", "Write a version's descriptor set to a file");
  DeclareVersion(get, *request);
  get.Argument("FILE", path.get(), "Where to write it");
  get.Examples("  pinion schema get addressbook 1.0.0 old.binpb");
  get.Run([request, path, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::GetVersionSchemaResponse found,
                     run.registry().GetVersionSchema(*request));
    std::ofstream file(*path, std::ios::binary | std::ios::trunc);
    file << found.descriptor_set();
    file.close();
    if (!file.good()) return absl::DataLossError(absl::StrCat("cannot write ", *path));
    run.Print(
        found,
        absl::StrCat("wrote ", *path, " (",
                     Counted(static_cast<int64_t>(found.descriptor_set().size()), "byte"), ")\n"));
    return absl::OkStatus();
  });

  AddSchemaCheck(schema.Sub("check", "What breaks between two descriptor sets; needs no registry"),
                 run);

  Command& digest = schema.Sub("digest", "The digest of a version's schema");
  DeclareVersion(digest, *request);
  digest.Examples("  pinion schema digest addressbook 1.0.0");
  digest.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(v1::GetVersionSchemaResponse found, run.registry().GetVersionSchema(*request));
    found.clear_descriptor_set();
    run.Print(found, absl::StrCat(found.schema_digest(), "\n"));
    return absl::OkStatus();
  });
}

}  // namespace

void AddVersionCommands(Command& root, Invocation& run) {
  Command& version = root.Sub("version", "Versions of services: immutable once published");
  AddPublish(version.Sub("publish", "Publish a version"), run);
  AddList(version.Sub("list", "Versions, the newest of each service first"), run);

  Command& show = version.Sub("show", "One version with its methods");
  auto request = std::make_shared<v1::GetVersionRequest>();
  DeclareVersion(show, *request);
  show.Examples("  pinion version show addressbook 1.0.0");
  show.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::Version found, run.registry().GetVersion(*request));
    run.Print(found, Fields(found));
    return absl::OkStatus();
  });
  AddActivate(version.Sub("activate", "Say that a database's step was carried out"), run);
  AddLifecycleCommands(version, run);
  AddRetirementCommands(version, run);
  AddSchema(root, run);
}

}  // namespace pinion::cli
