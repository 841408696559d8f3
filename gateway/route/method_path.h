// The method path of a call, split but never decoded: the same bytes are routed, authorised, logged
// and forwarded.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"

namespace pinion::route {

// Views into the request's :path, valid as long as it is.
struct MethodPath {
  absl::string_view full;          // /helloworld.Greeter/SayHello
  absl::string_view grpc_service;  // helloworld.Greeter
  absl::string_view method;        // SayHello
};

// Nullopt: no leading '/', no or more than one further '/', an empty part, a byte outside visible
// ASCII, or longer than limits::kMaxMethodPathBytes. Such a call is never forwarded; refuse it with
// MalformedPath() of refusal.h.
std::optional<MethodPath> ParseMethodPath(absl::string_view raw);

// `raw` without `?query`. For routing only, under ANY_HTTP2; what is forwarded is `raw`.
absl::string_view WithoutQuery(absl::string_view raw);

}  // namespace pinion::route
