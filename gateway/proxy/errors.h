// How a call ends without an answer from its service, and how that is said to each kind of caller.
// Values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gateway/http2/header_block.h"
#include "gateway/http2/types.h"
#include "gateway/route/refusal.h"

namespace pinion::proxy {

struct CallError {
  absl::StatusCode code = absl::StatusCode::kUnknown;
  std::string message;
  // Set: sent as details as well.
  std::optional<route::Refusal> refusal;
  // Set: the HTTP status for callers that do not speak gRPC; else it follows from the code.
  int http_status = 0;

  CallError(absl::StatusCode code, std::string message) : code(code), message(std::move(message)) {}
  explicit CallError(route::Refusal why)
      : code(why.code), message(why.message), refusal(std::move(why)) {}
};

// The HTTP status for callers that do not speak gRPC.
int HttpStatusOf(const CallError& error);

// Fields of the trailers (grpc-status, grpc-message, grpc-status-details-bin) that say `error`.
void AddGrpcStatus(const CallError& error, http2::HeaderBlock& out);

// The whole Trailers-Only block.
void AddTrailersOnly(const CallError& error, http2::HeaderBlock& out);

// What callers that do not speak gRPC get: JSON in the form of AIP-193; but a plain sentence with
// 415, whose caller cannot be told in a form that it speaks (and Connect reads JSON as an error of
// its own protocol).
struct HttpBody {
  absl::string_view content_type;
  std::string text;
};
HttpBody HttpBodyOf(const CallError& error);
void AddHttpHeaders(const CallError& error, const HttpBody& body, http2::HeaderBlock& out);

// Percent-encoding of grpc-message: gRPC over HTTP/2, "Status-Message".
std::string EncodeGrpcMessage(absl::string_view message);

// The gRPC status of an HTTP status without one: 400→13, 401→16, 403→7, 404→12, 429/502/503/504→14,
// others→2. Source: gRPC, "HTTP to gRPC status code mapping".
absl::StatusCode CodeOfHttpStatus(absl::string_view status);

// The gRPC status of RST_STREAM: REFUSED_STREAM→14, CANCEL→1, ENHANCE_YOUR_CALM→8,
// INADEQUATE_SECURITY→7, others→13. Source: gRPC over HTTP/2, "Errors".
absl::StatusCode CodeOfReset(http2::ErrorCode code);

}  // namespace pinion::proxy
