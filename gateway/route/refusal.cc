#include "gateway/route/refusal.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/deterministic_bytes.h"
#include "gateway/limits.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace pinion::route {
namespace {

constexpr absl::string_view kCut = "...";

struct ReasonInfo {
  absl::string_view name;
  absl::StatusCode code;
};

// In the order of Reason.
constexpr std::array<ReasonInfo, 15> kReasons = {{
    {"PIN_MALFORMED", absl::StatusCode::kInvalidArgument},
    {"PIN_REQUIRED", absl::StatusCode::kInvalidArgument},
    {"SERVICE_UNKNOWN", absl::StatusCode::kUnimplemented},
    {"METHOD_NOT_IN_VERSION", absl::StatusCode::kUnimplemented},
    {"VERSION_NOT_FOUND", absl::StatusCode::kUnimplemented},
    {"VERSION_RETIRED", absl::StatusCode::kUnimplemented},
    {"VERSION_NOT_ALLOWED", absl::StatusCode::kPermissionDenied},
    {"CONSUMER_REQUIRED", absl::StatusCode::kUnauthenticated},
    {"CREDENTIAL_INVALID", absl::StatusCode::kUnauthenticated},
    {"CREDENTIAL_UNCHECKED", absl::StatusCode::kUnavailable},
    {"NO_HEALTHY_INSTANCE", absl::StatusCode::kUnavailable},
    {"UPSTREAM_CONNECT_FAILED", absl::StatusCode::kUnavailable},
    {"UPSTREAM_RESET", absl::StatusCode::kInternal},
    {"RATE_LIMITED", absl::StatusCode::kResourceExhausted},
    {"OVERLOADED", absl::StatusCode::kResourceExhausted},
}};

const ReasonInfo& InfoOf(Reason reason) { return kReasons[static_cast<size_t>(reason)]; }

// REQUIRES: `text` is printable ASCII, so that any byte is a good place to cut.
void CutTo(std::string& text, size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  text.resize(bytes_max - kCut.size());
  absl::StrAppend(&text, kCut);
}

// Octets of grpc-message and grpc-status-details-bin in a header list, each with its name and RFC
// 9113's 32. Never too low: protobuf's own framing and the type URL are rounded up.
size_t SentBytes(const Refusal& refusal) {
  constexpr size_t kHeaderOverhead = 3 * 32 + 12 + 24 + 12;
  constexpr size_t kProtoOverhead = 128;
  constexpr size_t kEntryOverhead = 12;
  const auto percents = std::count(refusal.message.begin(), refusal.message.end(), '%');
  const size_t message = refusal.message.size() + 2 * static_cast<size_t>(percents);
  size_t details = kProtoOverhead + refusal.message.size() + refusal.help_url.size();
  for (const auto& [key, value] : refusal.metadata) {
    details += kEntryOverhead + key.size() + value.size();
  }
  return kHeaderOverhead + message + (details + 2) / 3 * 4;
}

// Halves what is longest until the whole fits.
void Fit(Refusal& refusal) {
  while (SentBytes(refusal) > limits::kMaxRefusalBytes) {
    std::string* longest = &refusal.message;
    for (auto& [key, value] : refusal.metadata) {
      if (value.size() > longest->size()) longest = &value;
    }
    CutTo(*longest, std::max(longest->size() / 2, kCut.size()));
  }
}

std::string JsonString(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

// As Any::PackFrom(), but the same bytes each time: those of a refusal that repeats fit into
// HPACK's table, and a simulated run that refuses is one that can be run again.
void AddDetail(const google::protobuf::Message& detail, google::rpc::Status& status) {
  google::protobuf::Any& any = *status.add_details();
  any.set_type_url(absl::StrCat("type.googleapis.com/", detail.GetDescriptor()->full_name()));
  any.set_value(DeterministicBytes(detail));
}

}  // namespace

absl::string_view ReasonName(Reason reason) { return InfoOf(reason).name; }

absl::StatusCode ReasonCode(Reason reason) { return InfoOf(reason).code; }

std::string Printable(absl::string_view value, size_t bytes_max) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  // Enough to know whether to cut, whatever the length of the value.
  for (const char c : value.substr(0, bytes_max + 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isprint(byte)) {
      out.push_back(c);
    } else {
      absl::StrAppend(&out, "\\x", absl::string_view(&kHex[byte >> 4], 1),
                      absl::string_view(&kHex[byte & 15], 1));
    }
  }
  CutTo(out, bytes_max);
  return out;
}

Refusal MakeRefusal(Reason reason, absl::string_view message, Refusal::Metadata metadata) {
  return MakeRefusalWithCode(reason, ReasonCode(reason), message, std::move(metadata));
}

Refusal MakeRefusalWithCode(Reason reason, absl::StatusCode code, absl::string_view message,
                            Refusal::Metadata metadata) {
  Refusal refusal;
  refusal.reason = reason;
  refusal.code = code;
  refusal.message = Printable(message, limits::kMaxRefusalBytes);
  for (auto& [key, value] : metadata) {
    if (value.empty()) continue;
    refusal.metadata.emplace_back(std::move(key), Printable(value, limits::kMaxRefusalBytes));
  }
  Fit(refusal);
  return refusal;
}

Refusal MalformedPath(absl::string_view raw) {
  const std::string path = Printable(raw);
  return MakeRefusal(Reason::kServiceUnknown,
                     absl::StrCat("the path `", path, "` is not /package.Service/Method; call a ",
                                  "method by its full name"),
                     {{"path", path}});
}

std::string StatusDetails(const Refusal& refusal) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(ReasonName(refusal.reason)));
  info.set_domain("pinion");
  for (const auto& [key, value] : refusal.metadata) (*info.mutable_metadata())[key] = value;
  google::rpc::Status status;
  status.set_code(static_cast<int>(refusal.code));
  status.set_message(refusal.message);
  AddDetail(info, status);
  if (!refusal.help_url.empty()) {
    google::rpc::Help help;
    google::rpc::Help::Link& link = *help.add_links();
    link.set_description("More about this refusal");
    link.set_url(refusal.help_url);
    AddDetail(help, status);
  }
  return status.SerializeAsString();
}

int HttpStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 502;
  }
}

int HttpStatus(const Refusal& refusal) { return HttpStatus(refusal.code); }

std::string JsonBody(const Refusal& refusal) {
  std::string metadata;
  for (const auto& [key, value] : refusal.metadata) {
    absl::StrAppend(&metadata, metadata.empty() ? "" : ",", JsonString(key), ":",
                    JsonString(value));
  }
  std::string help;
  if (!refusal.help_url.empty()) {
    help = absl::StrCat(",{\"@type\":\"type.googleapis.com/google.rpc.Help\",\"links\":[{\"url\":",
                        JsonString(refusal.help_url), "}]}");
  }
  return absl::StrCat("{\"error\":{\"code\":", HttpStatus(refusal),
                      ",\"message\":", JsonString(refusal.message), ",\"status\":\"",
                      absl::StatusCodeToString(refusal.code),
                      "\",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",",
                      "\"reason\":\"", ReasonName(refusal.reason),
                      "\",\"domain\":\"pinion\",\"metadata\":{", metadata, "}}", help, "]}}\n");
}

}  // namespace pinion::route
