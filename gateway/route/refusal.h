// A call that the gateway answers itself: a status, a reason that programs can switch on, and a
// message that tells a person what to do next. Values; any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pinion::route {

enum class Reason {
  kPinMalformed,
  kPinRequired,
  kServiceUnknown,
  kMethodNotInVersion,
  kVersionNotFound,
  kVersionRetired,
  kVersionNotAllowed,
  kConsumerRequired,
  kCredentialInvalid,
  kCredentialUnchecked,  // by no fault of the caller's
  kNoHealthyInstance,
  kUpstreamConnectFailed,
  kUpstreamReset,
  kRateLimited,
  kOverloaded,
};

// The reason as in google.rpc.ErrorInfo, e.g. "PIN_MALFORMED".
absl::string_view ReasonName(Reason reason);

// The status with which a reason is sent. kUpstreamReset has no code of its own: it depends on the
// reset, see MakeRefusalWithCode(). None is NOT_FOUND or FAILED_PRECONDITION, which applications
// take for their own answers.
absl::StatusCode ReasonCode(Reason reason);

struct Refusal {
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  Reason reason = Reason::kServiceUnknown;
  absl::StatusCode code = absl::StatusCode::kUnknown;
  // Printable ASCII, but still to be percent-encoded for grpc-message.
  std::string message;
  // ErrorInfo's metadata: every variable of the message. Keys: service, version, consumer, asked,
  // source, available, successor, …
  Metadata metadata;
  // Link of a google.rpc.Help; none when empty.
  std::string help_url;
};

// A refusal whose variables are cut and escaped so that it fits limits::kMaxRefusalBytes when sent.
// Empty values in `metadata` are left out.
Refusal MakeRefusal(Reason reason, absl::string_view message, Refusal::Metadata metadata = {});

// As MakeRefusal, with another status: for kUpstreamReset, whose code follows from the RST_STREAM.
Refusal MakeRefusalWithCode(Reason reason, absl::StatusCode code, absl::string_view message,
                            Refusal::Metadata metadata = {});

// The refusal of a :path that ParseMethodPath does not accept.
Refusal MalformedPath(absl::string_view raw);

// `value` fit for a message or a metadata value: printable ASCII, other bytes as \xNN, at most
// `bytes_max`, a cut shown by "...".
std::string Printable(absl::string_view value, size_t bytes_max = 128);

// grpc-status-details-bin before base64: a google.rpc.Status with exactly one ErrorInfo and, with a
// help_url, a Help.
std::string StatusDetails(const Refusal& refusal);

// For requests that are not gRPC (ANY_HTTP2): the :status, and a body of type application/json in
// the form of AIP-193.
int HttpStatus(const Refusal& refusal);
int HttpStatus(absl::StatusCode code);
std::string JsonBody(const Refusal& refusal);

}  // namespace pinion::route
