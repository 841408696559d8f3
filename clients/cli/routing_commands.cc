// pinion explain, pinion validate: what a gateway would do, without one.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/instance_text.h"
#include "clients/cli/pages.h"
#include "config/load.h"
#include "config/static_routing.h"
#include "config/validate.h"
#include "gateway/route/header_resolutions.h"
#include "gateway/route/method_path.h"
#include "gateway/route/route_table.h"
#include "gateway/route/table_builder.h"
#include "google/protobuf/struct.pb.h"

namespace pinion::cli {
namespace {

using Resources = std::vector<routing::v1::Resource>;

struct ExplainFlags {
  std::string consumer;
  std::string method;
  std::optional<std::string> api_version;
  std::string config;
};

absl::StatusOr<Resources> FetchResources(Invocation& run, const ExplainFlags& flags,
                                         const route::MethodPath& method) {
  if (!flags.config.empty()) {
    ASSIGN_OR_RETURN(const config::Loaded loaded, config::LoadFile(flags.config));
    return config::StaticRouting(loaded.bootstrap);
  }
  v1::GetRoutingRequest request;
  request.set_grpc_service(std::string(method.grpc_service));
  request.set_consumer(flags.consumer);
  absl::StatusOr<v1::GetRoutingResponse> response = run.registry().GetRouting(request);
  // A gateway knows neither of them either; what it does then is the explanation.
  if (absl::IsNotFound(response.status())) {
    request.clear_consumer();
    response = run.registry().GetRouting(request);
  }
  if (absl::IsNotFound(response.status())) return Resources();
  RETURN_IF_ERROR(response.status());
  return Resources(response->resources().begin(), response->resources().end());
}

// A consumer is found by what its callers show. Whoever asks here shows its name, whatever its
// identities are.
std::string HeaderIdentity(const Resources& resources, const std::string& name) {
  for (const routing::v1::Resource& resource : resources) {
    if (resource.consumer().name() != name) continue;
    for (const routing::v1::Identity& identity : resource.consumer().identities()) {
      if (identity.has_trusted_header()) return identity.trusted_header();
    }
  }
  return name;
}

google::protobuf::Value Text(absl::string_view text) {
  google::protobuf::Value value;
  value.set_string_value(std::string(text));
  return value;
}

google::protobuf::Struct ToStruct(const route::Resolved& resolved,
                                  const std::vector<std::string>& steps) {
  google::protobuf::Struct result;
  auto& fields = *result.mutable_fields();
  for (const std::string& step : steps) {
    *fields["steps"].mutable_list_value()->add_values() = Text(step);
  }
  if (const auto* route = std::get_if<route::Route>(&resolved)) {
    fields["outcome"] = Text("ROUTED");
    fields["service"] = Text(route->service->name);
    fields["version"] = Text(route->version->name);
    fields["asked"] = Text(route->asked);
    fields["source"] = Text(route::SourceName(route->source));
    fields["instances"].set_number_value(static_cast<double>(route->version->instances->size()));
    return result;
  }
  const auto& refusal = std::get<route::Refusal>(resolved);
  fields["outcome"] = Text("REFUSED");
  fields["reason"] = Text(route::ReasonName(refusal.reason));
  fields["code"] = Text(absl::StatusCodeToString(refusal.code));
  fields["message"] = Text(refusal.message);
  auto& metadata = *fields["metadata"].mutable_struct_value()->mutable_fields();
  for (const auto& [name, value] : refusal.metadata) metadata[name] = Text(value);
  return result;
}

// Which instances of the version that was chosen get no calls, and why: what a gateway does not
// know.
absl::StatusOr<std::vector<std::string>> HeldBackSteps(Invocation& run, const ExplainFlags& flags,
                                                       const route::Resolved& resolved) {
  std::vector<std::string> steps;
  v1::ListInstancesRequest request;
  if (const auto* route = std::get_if<route::Route>(&resolved)) {
    request.set_service(route->service->name);
    request.set_version(route->version->name);
  } else {
    const auto& refusal = std::get<route::Refusal>(resolved);
    if (refusal.reason != route::Reason::kNoHealthyInstance) return steps;
    for (const auto& [name, value] : refusal.metadata) {
      if (name == "service") request.set_service(value);
      if (name == "version") request.set_version(value);
    }
  }
  if (!flags.config.empty() || request.version().empty()) return steps;
  ASSIGN_OR_RETURN(const v1::ListInstancesResponse list,
                   AllPages(run.registry(), &RegistryClient::ListInstances, request));
  for (const v1::Instance& instance : list.instances()) {
    if (instance.check().held_back()) steps.push_back(HeldBackText(instance));
  }
  return steps;
}

absl::Status Explain(Invocation& run, const ExplainFlags& flags) {
  const std::optional<route::MethodPath> method = route::ParseMethodPath(flags.method);
  if (!method) {
    return UsageError(
        absl::StrCat("\"", flags.method, "\" is no method: write /package.Service/Method"));
  }
  ASSIGN_OR_RETURN(const Resources resources, FetchResources(run, flags, *method));
  route::TableBuilder builder;
  for (const routing::v1::Resource& resource : resources) RETURN_IF_ERROR(builder.Put(resource));
  const std::shared_ptr<const route::RouteTable> table = builder.Build();

  route::CallQuery query{.method = *method};
  std::optional<route::Consumer> consumer;
  if (!flags.consumer.empty()) {
    consumer = table->FindConsumerByHeader(HeaderIdentity(resources, flags.consumer));
    if (consumer) query.consumer = &*consumer;
  }
  if (flags.api_version) query.version_header = *flags.api_version;
  std::vector<std::string> steps = table->Explain(query);
  if (!flags.consumer.empty() && !consumer) {
    steps.insert(steps.begin(), absl::StrCat("no consumer \"", flags.consumer,
                                             "\" is registered: its calls count as unregistered"));
  }
  route::HeaderResolutions headers;
  const route::Resolved resolved = table->Resolve(query, headers);
  ASSIGN_OR_RETURN(const std::vector<std::string> held_back, HeldBackSteps(run, flags, resolved));
  steps.insert(steps.end(), held_back.begin(), held_back.end());
  std::string text;
  for (size_t i = 0; i < steps.size(); ++i) absl::StrAppend(&text, i + 1, ". ", steps[i], "\n");
  run.Print(ToStruct(resolved, steps), text);
  return absl::OkStatus();
}

absl::Status Validate(Invocation& run, const std::string& file) {
  ASSIGN_OR_RETURN(const config::Loaded loaded, config::LoadFile(file));
  std::string text = absl::StrCat(config::Summary(loaded), "\n");
  for (const std::string& warning : config::TlsWarnings(loaded.bootstrap, SystemClock().Wall())) {
    absl::StrAppend(&text, "warning: ", warning, "\n");
  }
  run.Print(loaded.bootstrap, text);
  return absl::OkStatus();
}

}  // namespace

void AddRoutingCommands(Command& root, Invocation& run) {
  Command& explain = root.Sub("explain", "Which version a call would get, and why");
  auto flags = std::make_shared<ExplainFlags>();
  explain.Option("--consumer", "CONSUMER", &flags->consumer,
                 "Who calls; none: without credentials");
  explain.Option("--method", "/PKG.SERVICE/METHOD", &flags->method, "What is called; required");
  explain.Option("--api-version", "EXPRESSION", &flags->api_version,
                 "The call's own api-version metadata");
  explain.Option("--config", "FILE", &flags->config,
                 "A static configuration instead of the registry");
  explain.Examples("  pinion explain --consumer billing --method /acme.AddressBook/Get");
  explain.Run([flags, &run] { return Explain(run, *flags); });

  Command& validate = root.Sub("validate", "Check a configuration file without starting");
  auto file = std::make_shared<std::string>();
  validate.Argument("FILE", file.get(), "YAML configuration");
  validate.Examples("  pinion validate gateway.yaml");
  validate.Run([file, &run] { return Validate(run, *file); });
}

}  // namespace pinion::cli
