// The request of a call as the proxy needs it: what routing reads, and what goes on to the
// instance. Pure; views into its fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gateway/http2/header_field.h"
#include "gateway/proxy/options.h"

namespace pinion::proxy {

struct RequestHead {
  absl::string_view method;
  absl::string_view path;
  absl::string_view content_type;
  absl::string_view timeout;
  bool has_timeout = false;
  bool timeout_repeated = false;
  std::optional<absl::string_view> version;  // the version header
  bool version_repeated = false;
  std::optional<absl::string_view> identity;  // the identity header, believed or not
  bool identity_repeated = false;
  std::optional<absl::string_view> authorization;  // where the listener takes tokens
  bool authorization_repeated = false;
  std::optional<absl::string_view> api_key;
  bool api_key_repeated = false;
  std::optional<absl::string_view> traceparent;
  bool traceparent_repeated = false;
  bool grpc = false;
};

// One pass over the fields. `grpc` as in design: a content-type of exactly application/grpc, or
// that followed by '+' or ';'.
RequestHead ReadRequest(absl::Span<const http2::HeaderField> headers,
                        const ListenerOptions& listener, const Options& options);

bool IsGrpcContentType(absl::string_view content_type);

// Of `authorization: Bearer …` (RFC 6750 §2.1), perhaps empty; nullopt: another scheme.
std::optional<absl::string_view> BearerToken(absl::string_view authorization);

// The fields that go on, in order, appended to `out` (views of the same texts, and of `timeout`):
// without the version header, without the identity header unless it is `trusted`, without an API
// key or a token unless the listener forwards it, with `timeout` for grpc-timeout unless empty,
// and, for gRPC, with te: trailers.
void AddUpstreamFields(absl::Span<const http2::HeaderField> headers,
                       const ListenerOptions& listener, const Options& options, bool trusted,
                       bool grpc, absl::string_view timeout, std::vector<http2::HeaderField>& out);

// Takes the caller's own grpc-previous-rpc-attempts out of `fields` and returns its value plus
// `more`.
std::string SetPreviousAttempts(int more, std::vector<http2::HeaderField>& fields);

}  // namespace pinion::proxy
