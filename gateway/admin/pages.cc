#include "gateway/admin/pages.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wrappers.pb.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace pinion::admin {
namespace {

constexpr const char* kText = "text/plain; charset=utf-8";
constexpr const char* kJson = "application/json";
constexpr const char* kPrometheus = "text/plain; version=0.0.4; charset=utf-8";

struct Link {
  const char* path;
  const char* what;
};

constexpr Link kLinks[] = {
    {"/healthz", "the process is alive"},
    {"/readyz", "it does its work: its route table and its registry, with their revisions"},
    {"/metrics", "metrics for Prometheus"},
    {"/stats", "the same values, a line each (?filter=text)"},
    {"/config_dump",
     "the running configuration, and a summary of the route table and the registry"},
};

Page Index() {
  std::string body =
      "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Pinion</title></head>"
      "<body><h1>Pinion</h1><table>\n";
  for (const Link& link : kLinks) {
    absl::StrAppend(&body, "<tr><td><a href=\"", link.path, "\">", link.path, "</a></td><td>",
                    link.what, "</td></tr>\n");
  }
  return {200, "text/html; charset=utf-8", absl::StrCat(body, "</table></body></html>\n")};
}

Page Unknown() {
  const std::string known = absl::StrJoin(
      kLinks, " ", [](std::string* out, const Link& link) { absl::StrAppend(out, link.path); });
  return {404, kText, absl::StrCat("no such page; there are / ", known, "\n")};
}

// Of a key's digest, enough to tell two apart; zeros for the rest, since a short key could be
// guessed from it, and the dump is to load again as a file. Of a URL, its place.
config::v1::Bootstrap WithoutSecrets(config::v1::Bootstrap bootstrap) {
  constexpr size_t kDigitsShown = 8;
  if (bootstrap.has_static_resources()) {
    for (auto& consumer : *bootstrap.mutable_static_resources()->mutable_consumers()) {
      for (routing::v1::Identity& identity : *consumer.mutable_identities()) {
        if (!identity.has_api_key_sha256()) continue;
        std::string& digest = *identity.mutable_api_key_sha256();
        if (digest.size() <= kDigitsShown) continue;
        digest.replace(kDigitsShown, std::string::npos, digest.size() - kDigitsShown, '0');
      }
    }
  }
  const auto shorten = [](auto& issuers) {
    for (auto& issuer : issuers) {
      std::string& url = *issuer.mutable_jwks_url();
      url.resize(std::min(url.size(), url.find('?')));
    }
  };
  if (bootstrap.has_gateway()) shorten(*bootstrap.mutable_gateway()->mutable_jwt_issuers());
  if (bootstrap.registry().has_access()) {
    shorten(*bootstrap.mutable_registry()->mutable_access()->mutable_jwt_issuers());
  }
  return bootstrap;
}

std::string Labels(const Sample& sample) {
  if (sample.labels.empty()) return "";
  return absl::StrCat("{", absl::StrJoin(sample.labels, ",", absl::PairFormatter("=")), "}");
}

// Counters to their last digit.
std::string Number(double value) {
  const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
  return whole ? absl::StrCat(static_cast<int64_t>(value)) : absl::StrFormat("%.9g", value);
}

google::protobuf::util::JsonPrintOptions JsonOptions() {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  // The names of the file, so that the dump loads as one.
  options.preserve_proto_field_names = true;
  return options;
}

// A JSON string literal, by the one library here that knows them.
std::string JsonString(const std::string& text) {
  google::protobuf::StringValue value;
  value.set_value(text);
  std::string json;
  return google::protobuf::util::MessageToJsonString(value, &json).ok() ? json : "\"\"";
}

std::string TableJson(const TableStatus& table) {
  if (!table.in_place) return "{\"in_place\": false}";
  return absl::StrCat("{\"in_place\": true, \"revision\": ", table.revision,
                      ", \"age_seconds\": ", absl::ToDoubleSeconds(table.age),
                      ", \"source\": ", JsonString(table.source),
                      ", \"registry\": ", JsonString(table.registry),
                      ", \"services\": ", table.services, ", \"versions\": ", table.versions,
                      ", \"instances\": ", table.instances, ", \"consumers\": ", table.consumers,
                      ", \"pins\": ", table.pins, "}");
}

std::string RegistryJson(const RegistryStatus& registry) {
  return absl::StrCat("{\"id\": ", JsonString(registry.id),
                      ", \"store\": ", JsonString(registry.store),
                      ", \"revision\": ", registry.revision, ", \"watchers\": ", registry.watchers,
                      ", \"problem\": ", JsonString(registry.problem),
                      ", \"warning\": ", JsonString(registry.warning), "}");
}

Page RegistryReady(const RegistryStatus& registry) {
  if (registry.problem.empty()) return {200, kText, "ready\n"};
  return {503, kText, "not ready: the store does not answer\n"};
}

// Of /readyz, below what is said of the gateway if there is one.
std::string RegistryLines(const RegistryStatus& registry) {
  std::string lines = absl::StrCat("registry id: ", registry.id, "\nstore: ", registry.store,
                                   "\nstore revision: ", registry.revision,
                                   "\nwatchers: ", registry.watchers, "\n");
  if (!registry.problem.empty()) absl::StrAppend(&lines, "problem: ", registry.problem, "\n");
  if (!registry.warning.empty()) absl::StrAppend(&lines, "warning: ", registry.warning, "\n");
  return lines;
}

}  // namespace

Page Pages::Answer(const Request& request) const {
  if (request.path == "/accept") return Accept(request);
  if (request.method != "GET" && request.method != "HEAD") {
    return {405, kText, "this page only answers GET and HEAD\n"};
  }
  if (request.path == "/") return Index();
  if (request.path == "/healthz") return Health();
  if (request.path == "/readyz") return Ready();
  // The second name is Envoy's, for scrapers that are set up for it.
  if (request.path == "/metrics" || request.path == "/stats/prometheus") {
    return {200, kPrometheus, PrometheusText(sources_.metrics())};
  }
  if (request.path == "/stats") return Stats(request.filter);
  if (request.path == "/config_dump") return ConfigDump();
  return Unknown();
}

// A frozen gateway is alive, and a restart would not thaw it.
Page Pages::Health() const {
  const TableStatus table = sources_.table ? sources_.table() : TableStatus();
  return {200, kText, table.frozen ? absl::StrCat("frozen: ", table.registry, "\n") : "ok\n"};
}

Page Pages::Accept(const Request& request) const {
  if (request.method != "POST") return {405, kText, "this page only answers POST\n", "POST"};
  const absl::Status status =
      sources_.accept ? sources_.accept(std::string(request.registry))
                      : absl::FailedPreconditionError("there is no gateway in this process");
  if (!status.ok()) return {409, kText, absl::StrCat(std::string(status.message()), "\n")};
  return {200, kText,
          absl::StrCat("accepted: the next snapshot of registry ", std::string(request.registry),
                       " is taken over\n")};
}

// Where both are, the process is there for calls: a gateway goes on without its registry.
Page Pages::Ready() const {
  if (!sources_.registry) return GatewayReady();
  const RegistryStatus registry = sources_.registry();
  Page page = sources_.table ? GatewayReady() : RegistryReady(registry);
  absl::StrAppend(&page.body, RegistryLines(registry));
  return page;
}

Page Pages::GatewayReady() const {
  const TableStatus table = sources_.table ? sources_.table() : TableStatus();
  if (!table.in_place) return {503, kText, "not ready: no route table yet\n"};
  const bool draining = sources_.draining();
  std::string body =
      absl::StrCat(draining ? "not ready: draining" : "ready", table.frozen ? ", frozen" : "",
                   "\nrevision: ", table.revision, "\nage: ", absl::FormatDuration(table.age),
                   "\nsource: ", table.source, "\n");
  if (!table.registry.empty()) absl::StrAppend(&body, "registry: ", table.registry, "\n");
  if (!table.warning.empty()) absl::StrAppend(&body, "warning: ", table.warning, "\n");
  return {draining ? 503 : 200, kText, std::move(body)};
}

Page Pages::ConfigDump() const {
  std::string bootstrap;
  if (!google::protobuf::util::MessageToJsonString(WithoutSecrets(sources_.bootstrap()), &bootstrap,
                                                   JsonOptions())
           .ok()) {
    return {500, kText, "the configuration cannot be shown as JSON\n"};
  }
  std::string body = absl::StrCat("{\"bootstrap\": ", bootstrap);
  if (sources_.table) absl::StrAppend(&body, ",\n\"route_table\": ", TableJson(sources_.table()));
  if (sources_.registry) {
    absl::StrAppend(&body, ",\n\"registry\": ", RegistryJson(sources_.registry()));
  }
  return {200, kJson, absl::StrCat(body, "}\n")};
}

Page Pages::Stats(std::string_view filter) const {
  std::vector<std::string> lines;
  for (const MetricFamily& family : sources_.metrics()) {
    for (const Sample& sample : family.samples) {
      const std::string name = absl::StrCat(family.name, Labels(sample));
      if (family.type == MetricType::kHistogram) {
        lines.push_back(
            absl::StrCat(name, ": count ", sample.count, ", sum ", Number(sample.sum), "\n"));
      } else {
        lines.push_back(absl::StrCat(name, ": ", Number(sample.value), "\n"));
      }
    }
  }
  std::erase_if(lines, [&](const std::string& line) { return line.find(filter) == line.npos; });
  std::sort(lines.begin(), lines.end());
  return {200, kText, absl::StrJoin(lines, "")};
}

}  // namespace pinion::admin
