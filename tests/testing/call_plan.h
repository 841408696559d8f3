// One simulated call, written down beforehand: what the client does, what the server does, and so
// what must be seen. And what was seen. Values; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gateway/http2/header_field.h"
#include "gateway/http2/types.h"

namespace pinion::testing {

using Metadata = std::vector<std::pair<std::string, std::string>>;

struct Pause {
  uint64_t at_byte = 0;
  absl::Duration duration;
};

struct SendPlan {
  std::string bytes;          // whole gRPC messages, or not
  std::vector<Pause> pauses;  // by at_byte; before that byte is offered
  bool end_alone = false;     // END_STREAM comes in an empty DATA frame of its own
};

// Received bytes keep the window closed until they are consumed.
struct ReadPlan {
  std::vector<Pause> pauses;  // by at_byte; before that byte is consumed
};

struct ResponsePlan {
  enum class Kind : uint8_t {
    kNormal,        // headers, body, trailers
    kEcho,          // headers, the request's bytes as they come, trailers at its end
    kTrailersOnly,  // one HEADERS frame with the status
    kReset,         // RST_STREAM(reset_code) after reset_after_bytes of the body
    kRefuse,        // RST_STREAM(REFUSED_STREAM) unseen; later attempts get kNormal
    kNeverAnswer,
    kHttpError,  // http_status with a body and no gRPC status
  };
  static constexpr uint64_t kAtRequestEnd = UINT64_MAX;

  Kind kind = Kind::kNormal;
  uint64_t start_at_request_byte = kAtRequestEnd;  // 0: at the request's headers
  absl::Duration delay;                            // from then on
  Metadata headers;
  SendPlan body;
  Metadata trailers;
  int grpc_status = 0;
  std::string grpc_message;  // as sent: percent-encoded
  // When all was said before the request's end: RST_STREAM(NO_ERROR) at once, or read on.
  bool reset_after_answer = true;

  // So many attempts before that end as Trailers-Only with failing_status and failing_trailers.
  int failing_attempts = 0;
  int failing_status = 14;
  Metadata failing_trailers;
  int interims = 0;  // 1xx responses before the headers

  bool reset_before_headers = false;
  uint64_t reset_after_bytes = 0;
  http2::ErrorCode reset_code = http2::ErrorCode::kCancel;
  int http_status = 200;
};

struct CallPlan {
  uint64_t id = 0;
  std::string path;
  bool grpc = true;         // else a request of application/json
  Metadata metadata;        // after the fields that every gRPC call has
  std::string timeout;      // grpc-timeout; empty: none
  absl::Duration deadline;  // the same as a duration
  SendPlan request;
  ReadPlan request_reading;
  ResponsePlan response;
  ReadPlan response_reading;
  std::optional<absl::Duration> cancel_after;
};

// How a call ended for its client.
struct CallRecord {
  enum class End : uint8_t {
    kNone,
    kStatus,          // the response ended with END_STREAM
    kReset,           // RST_STREAM by the peer
    kConnectionLost,  // or this side's engine found fault with the peer: see `detail`
    kCancelled,       // by the client itself
  };

  End end = End::kNone;
  int ends = 0;  // how often an end was reported
  bool trailers_only = false;
  int http_status = 0;
  int grpc_status = -1;  // -1: none
  std::string grpc_message;
  Metadata headers;
  Metadata trailers;
  std::string body;
  bool body_differs = false;  // from the plan's, in the bytes received so far
  http2::ErrorCode reset_code = http2::ErrorCode::kNoError;
  std::string detail;
  uint64_t request_bytes_sent = 0;
  bool request_ended = false;
  absl::Time started = absl::InfinitePast();
  absl::Time ended = absl::InfinitePast();
};

// One time that a server saw the call.
struct AttemptRecord {
  enum class End : uint8_t {
    kNone,
    kAnswered,  // everything was said, and the stream is over
    kResetByServer,
    kRefused,  // as if unseen
    kResetByPeer,
    kConnectionLost,
  };

  uint64_t call = 0;
  int number = 0;       // of the call's attempts, from 1
  std::string uid;      // the instance
  std::string version;  // that it serves
  End end = End::kNone;
  Metadata metadata;  // all fields of the request but pseudo-header fields
  std::string authority;
  std::string path;
  std::string body;
  bool body_differs = false;
  bool request_ended = false;
  uint64_t response_bytes_sent = 0;
  bool response_ended = false;
  http2::ErrorCode reset_code = http2::ErrorCode::kNoError;
  absl::Time started = absl::InfinitePast();
  absl::Time ended = absl::InfinitePast();
  // Set when the connection that it came on ended, whenever and for whatever reason.
  std::shared_ptr<const bool> connection_ended;
};

// "answered call", "lost call": for traces.
const char* NameOf(AttemptRecord::End end);
const char* NameOf(CallRecord::End end);

// All calls of a run. What it hands out stays where it is.
class CallBook {
 public:
  struct Entry {
    CallPlan plan;
    CallRecord record;
    std::vector<std::unique_ptr<AttemptRecord>> attempts;
  };

  // Gives the plan its id.
  Entry& Add(CallPlan plan);
  // Null: no such call.
  Entry* Find(uint64_t id);
  // By the value of kCallHeader.
  Entry* Find(std::string_view id);

  std::map<uint64_t, Entry>& entries() { return entries_; }

  // Hears of what happens to calls, for traces.
  using Listener = std::function<void(std::string_view who, std::string_view what, uint64_t call)>;
  void set_listener(Listener listener) { listener_ = std::move(listener); }
  void Note(std::string_view who, std::string_view what, uint64_t call) {
    if (listener_ != nullptr) listener_(who, what, call);
  }

  // What a peer saw that must never happen.
  void Complain(std::string what) { complaints_.push_back(std::move(what)); }
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  std::map<uint64_t, Entry> entries_;
  Listener listener_;
  std::vector<std::string> complaints_;
};

// Request metadata that tells a SimServer which plan to follow.
inline constexpr std::string_view kCallHeader = "x-sim-call";

// `sizes.size()` gRPC messages of these sizes, prefixes included. The bytes follow from `seed` and
// never repeat at a short distance, so that a lost or moved byte shows.
std::string GrpcMessages(uint64_t seed, const std::vector<size_t>& sizes);

// Copies all fields of a block to the end of `metadata`.
void AppendFields(absl::Span<const http2::HeaderField> fields, Metadata& metadata);

// The first field of this name, or null.
const std::string* FindField(const Metadata& metadata, std::string_view name);

}  // namespace pinion::testing
