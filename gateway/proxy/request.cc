#include "gateway/proxy/request.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace pinion::proxy {

using http2::HeaderName;

namespace {

void SetOnce(absl::string_view value, std::optional<absl::string_view>& place, bool& repeated) {
  repeated = repeated || place.has_value();
  place = value;
}

// The fields whose names configuration chooses.
void ReadConfigured(const http2::HeaderField& field, const ListenerOptions& listener,
                    const Options& options, RequestHead& head) {
  if (field.name == options.version_header) {
    SetOnce(field.value, head.version, head.version_repeated);
  } else if (!listener.identity_header.empty() && field.name == listener.identity_header) {
    SetOnce(field.value, head.identity, head.identity_repeated);
  } else if (!listener.api_key_header.empty() && field.name == listener.api_key_header) {
    SetOnce(field.value, head.api_key, head.api_key_repeated);
  }
}

// A credential that was for the gateway and goes no further.
bool IsOurSecret(const http2::HeaderField& field, const ListenerOptions& listener) {
  if (!listener.api_key_header.empty() && field.name == listener.api_key_header) {
    return !listener.forward_api_key;
  }
  return listener.jwt && !listener.forward_jwt && field.Name() == HeaderName::kAuthorization &&
         BearerToken(field.value).has_value();
}

}  // namespace

std::optional<absl::string_view> BearerToken(absl::string_view authorization) {
  constexpr absl::string_view kScheme = "bearer";
  if (!absl::StartsWithIgnoreCase(authorization, kScheme)) return std::nullopt;
  const absl::string_view rest = authorization.substr(kScheme.size());
  if (!rest.empty() && !absl::ascii_isspace(static_cast<unsigned char>(rest[0]))) {
    return std::nullopt;
  }
  return absl::StripAsciiWhitespace(rest);
}

bool IsGrpcContentType(absl::string_view content_type) {
  constexpr absl::string_view kGrpc = "application/grpc";
  if (!absl::StartsWith(content_type, kGrpc)) return false;
  return content_type.size() == kGrpc.size() || content_type[kGrpc.size()] == '+' ||
         content_type[kGrpc.size()] == ';';
}

RequestHead ReadRequest(absl::Span<const http2::HeaderField> headers,
                        const ListenerOptions& listener, const Options& options) {
  RequestHead head;
  for (const http2::HeaderField& field : headers) {
    switch (field.Name()) {
      case HeaderName::kMethod:
        head.method = field.value;
        break;
      case HeaderName::kPath:
        head.path = field.value;
        break;
      case HeaderName::kContentType:
        head.content_type = field.value;
        break;
      case HeaderName::kGrpcTimeout:
        head.timeout_repeated = head.has_timeout;
        head.has_timeout = true;
        head.timeout = field.value;
        break;
      case HeaderName::kTraceparent:
        SetOnce(field.value, head.traceparent, head.traceparent_repeated);
        break;
      case HeaderName::kAuthorization:
        if (listener.jwt) {
          SetOnce(field.value, head.authorization, head.authorization_repeated);
          break;
        }
        [[fallthrough]];
      default:
        ReadConfigured(field, listener, options, head);
    }
  }
  head.grpc = IsGrpcContentType(head.content_type);
  return head;
}

void AddUpstreamFields(absl::Span<const http2::HeaderField> headers,
                       const ListenerOptions& listener, const Options& options, bool trusted,
                       bool grpc, absl::string_view timeout, std::vector<http2::HeaderField>& out) {
  const bool secrets = listener.jwt || !listener.api_key_header.empty();
  bool te = !grpc;
  bool timeout_added = timeout.empty();
  for (const http2::HeaderField& field : headers) {
    if (field.name == options.version_header) continue;
    if (!trusted && !listener.identity_header.empty() && field.name == listener.identity_header) {
      continue;
    }
    if (secrets && IsOurSecret(field, listener)) continue;
    te = te || field.Name() == HeaderName::kTe;
    out.push_back(field);
    if (secrets && field.name == listener.api_key_header) out.back().never_index = true;
    if (!timeout_added && field.Name() == HeaderName::kGrpcTimeout) {
      out.back().SetValue(timeout);
      timeout_added = true;
    }
  }
  if (!te) out.push_back(MakeField(HeaderName::kTe, "trailers"));
  if (!timeout_added) out.push_back(MakeField(HeaderName::kGrpcTimeout, timeout));
}

std::string SetPreviousAttempts(int more, std::vector<http2::HeaderField>& fields) {
  constexpr int kBelievedMax = 1'000'000;
  int before = 0;
  const auto own = [&](const http2::HeaderField& field) {
    if (field.Name() != HeaderName::kGrpcPreviousAttempts) return false;
    int value = 0;
    if (absl::SimpleAtoi(field.value, &value)) before = std::clamp(value, 0, kBelievedMax);
    return true;
  };
  fields.erase(std::remove_if(fields.begin(), fields.end(), own), fields.end());
  return absl::StrCat(before + more);
}

}  // namespace pinion::proxy
