// For tests: watch messages as text, and what a table routes a call to.
#pragma once

#include <string>
#include <variant>

#include "base/check.h"
#include "gateway/route/header_resolutions.h"
#include "gateway/route/route_table.h"
#include "google/protobuf/text_format.h"
#include "pinion/registry/v1/watch.pb.h"

namespace pinion::watch {

inline registry::v1::WatchResponse Message(const std::string& text) {
  registry::v1::WatchResponse message;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

// Service `greeter` (gRPC service acme.Greeter) with versions 1.0.0 and 2.0.0, @stable = 1.0.0, an
// instance of each, and consumer `billing`.
inline constexpr char kGreeterResources[] = R"pb(
  resources { service { name: "greeter" scheme: SEMVER grpc_services: "acme.Greeter" } }
  resources { version { service: "greeter" name: "1.0.0" state: ACTIVE } }
  resources { version { service: "greeter" name: "2.0.0" state: ACTIVE } }
  resources { channel { service: "greeter" name: "stable" version: "1.0.0" } }
  resources {
    instance {
      service: "greeter"
      version: "1.0.0"
      uid: "u1"
      address { socket_address { address: "127.0.0.1" port_value: 7001 } }
    }
  }
  resources {
    instance {
      service: "greeter"
      version: "2.0.0"
      uid: "u2"
      address { socket_address { address: "127.0.0.1" port_value: 7002 } }
    }
  }
  resources { consumer { name: "billing" } }
)pb";

// A whole snapshot in one part.
inline registry::v1::WatchResponse Snapshot(const std::string& registry_id, int64_t revision,
                                            const std::string& resources = kGreeterResources) {
  return Message("registry_id: \"" + registry_id +
                 "\" snapshot { first: true last: true revision: " + std::to_string(revision) +
                 " " + resources + "}");
}

// billing's pin for greeter, set at `revision`.
inline registry::v1::WatchResponse PinSet(const std::string& registry_id, int64_t revision,
                                          const std::string& expression) {
  return Message("registry_id: \"" + registry_id +
                 "\" changes { revisions { revision: " + std::to_string(revision) +
                 R"( changes { put { pin { consumer: "billing" service: "greeter" expression: ")" +
                 expression + "\" } } } } }");
}

// The version that billing's call of acme.Greeter gets, or the reason why it gets none.
inline std::string VersionFor(const route::RouteTable& table) {
  route::HeaderResolutions headers;
  const auto consumer = table.FindConsumerByHeader("billing");
  route::CallQuery query{.method = *route::ParseMethodPath("/acme.Greeter/Hello")};
  if (consumer) query.consumer = &*consumer;
  const route::Resolved resolved = table.Resolve(query, headers);
  if (const auto* route = std::get_if<route::Route>(&resolved)) return route->version->name;
  const absl::string_view reason = route::ReasonName(std::get<route::Refusal>(resolved).reason);
  return std::string(reason);
}

}  // namespace pinion::watch
