#include "gateway/proxy/errors.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace pinion::proxy {

int HttpStatusOf(const CallError& error) {
  return error.http_status != 0 ? error.http_status : route::HttpStatus(error.code);
}

void AddGrpcStatus(const CallError& error, http2::HeaderBlock& out) {
  out.Add("grpc-status", absl::StrCat(static_cast<int>(error.code)));
  out.Add("grpc-message", EncodeGrpcMessage(error.message));
  if (!error.refusal.has_value()) return;
  std::string details = absl::Base64Escape(route::StatusDetails(*error.refusal));
  while (!details.empty() && details.back() == '=') details.pop_back();
  out.Add("grpc-status-details-bin", details);
}

void AddTrailersOnly(const CallError& error, http2::HeaderBlock& out) {
  out.Add(":status", "200");
  out.Add("content-type", "application/grpc");
  AddGrpcStatus(error, out);
}

HttpBody HttpBodyOf(const CallError& error) {
  if (error.refusal.has_value()) return {"application/json", route::JsonBody(*error.refusal)};
  const std::string printable = route::Printable(error.message, 4 * error.message.size());
  if (error.http_status == 415) return {"text/plain; charset=utf-8", absl::StrCat(printable, "\n")};
  std::string message;
  for (char c : printable) {
    if (c == '"' || c == '\\') message.push_back('\\');
    message.push_back(c);
  }
  return {"application/json",
          absl::StrCat(R"({"error":{"code":)", HttpStatusOf(error), R"(,"message":")", message,
                       R"(","status":")", absl::StatusCodeToString(error.code), "\"}}\n")};
}

void AddHttpHeaders(const CallError& error, const HttpBody& body, http2::HeaderBlock& out) {
  out.Add(":status", absl::StrCat(HttpStatusOf(error)));
  out.Add("content-type", body.content_type);
  out.Add("content-length", absl::StrCat(body.text.size()));
}

std::string EncodeGrpcMessage(absl::string_view message) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(message.size());
  for (char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && byte != '%') {
      encoded.push_back(c);
    } else {
      encoded.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return encoded;
}

absl::StatusCode CodeOfHttpStatus(absl::string_view status) {
  if (status == "400") return absl::StatusCode::kInternal;
  if (status == "401") return absl::StatusCode::kUnauthenticated;
  if (status == "403") return absl::StatusCode::kPermissionDenied;
  if (status == "404") return absl::StatusCode::kUnimplemented;
  if (status == "429" || status == "502" || status == "503" || status == "504") {
    return absl::StatusCode::kUnavailable;
  }
  return absl::StatusCode::kUnknown;
}

absl::StatusCode CodeOfReset(http2::ErrorCode code) {
  switch (code) {
    case http2::ErrorCode::kRefusedStream:
      return absl::StatusCode::kUnavailable;
    case http2::ErrorCode::kCancel:
      return absl::StatusCode::kCancelled;
    case http2::ErrorCode::kEnhanceYourCalm:
      return absl::StatusCode::kResourceExhausted;
    case http2::ErrorCode::kInadequateSecurity:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace pinion::proxy
