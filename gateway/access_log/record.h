// One ended call as the access log tells it. A value made at the call's end and read at once: the
// views point into what the call still holds.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace pinion::access_log {

// A duration that was never reached: its field is left out.
inline constexpr absl::Duration kNever = -absl::InfiniteDuration();

// Empty texts are left out of the line. Whatever the bytes, the formatter bounds and escapes them,
// but for the gateway's own words (source, error, reset, reset_by, trace_id), which must be plain.
struct Record {
  absl::Time start;  // wall clock, at the request's HEADERS

  absl::string_view listener;
  absl::string_view peer;
  absl::string_view consumer;  // its name, not the credential
  absl::string_view service;
  absl::string_view version;
  absl::string_view method;  // the :path as it came, and as it was forwarded
  // How the version was chosen, see route::SourceName(); "gateway": the gateway itself answered.
  absl::string_view source;
  absl::string_view asked;     // the expression that decided
  absl::string_view instance;  // uid of the last instance that got the call
  absl::string_view upstream;  // its address

  int grpc_status = -1;     // as it went to the caller; -1: none did
  int http_status = 0;      // of callers that do not speak gRPC, or when it is not 200; 0: left out
  absl::string_view error;  // why the gateway ended the call itself, ErrorInfo's reason
  absl::string_view message;  // what the caller was told about it
  // The call ended with RST_STREAM: its code, and who said so: "caller", "connection" (the caller's
  // connection ended), "instance" (passed on), "gateway".
  absl::string_view reset;
  absl::string_view reset_by;

  uint64_t request_bytes = 0;  // DATA that the instance took
  uint64_t response_bytes = 0;
  absl::Duration duration = absl::ZeroDuration();
  absl::Duration upstream_wait = kNever;  // until a stream to an instance was open
  absl::Duration first_byte = kNever;     // until the answer's headers came from the instance
  uint32_t attempts = 0;                  // instances that were asked
  absl::string_view trace_id;             // 32 hex digits

  bool ok() const { return grpc_status == 0 || (grpc_status < 0 && http_status / 100 == 2); }
};

}  // namespace pinion::access_log
