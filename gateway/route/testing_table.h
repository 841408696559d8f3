// For tests of this folder: tables from resources written as text protos.
#pragma once

#include <google/protobuf/text_format.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "gateway/route/table_builder.h"

namespace pinion::route {

// E.g. ParseResource("pin { consumer: 'billing' service: 'greeter' expression: '^1' }").
inline routing::v1::Resource ParseResource(const std::string& text) {
  routing::v1::Resource resource;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &resource));
  return resource;
}

inline void PutAll(TableBuilder& builder, std::initializer_list<std::string> resources) {
  for (const std::string& text : resources) CHECK(builder.Put(ParseResource(text)).ok());
}

inline std::shared_ptr<const RouteTable> TableOf(std::initializer_list<std::string> resources) {
  TableBuilder builder;
  PutAll(builder, resources);
  return builder.Build();
}

// A call, by what a test varies.
struct TestCall {
  std::string path = "/helloworld.Greeter/SayHello";
  std::string consumer;               // empty: unregistered
  std::optional<std::string> header;  // api-version
};

// REQUIRES: `table` and `call` outlive the result.
inline Resolved ResolveCall(const RouteTable& table, const TestCall& call) {
  HeaderResolutions headers;
  CallQuery query;
  query.method = ParseMethodPath(call.path).value();
  const std::optional<Consumer> consumer = table.FindConsumerByHeader(call.consumer);
  if (consumer) query.consumer = &*consumer;
  if (call.header) query.version_header = *call.header;
  return table.Resolve(query, headers);
}

// "2.0.0 by service-pin (^2)", or the reason of a refusal.
inline std::string Outcome(const Resolved& resolved) {
  if (const Route* route = std::get_if<Route>(&resolved); route != nullptr) {
    return absl::StrCat(route->version->name, " by ", SourceName(route->source), " (", route->asked,
                        ")", route->propose_pin ? " propose" : "");
  }
  return std::string(ReasonName(std::get<Refusal>(resolved).reason));
}

inline std::string Meta(const Refusal& refusal, absl::string_view key) {
  for (const auto& [name, value] : refusal.metadata) {
    if (name == key) return value;
  }
  return "";
}

}  // namespace pinion::route
