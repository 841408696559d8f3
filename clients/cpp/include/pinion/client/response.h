// What a gateway says about the version that answered a call. Values; any thread.
#pragma once

#include <grpcpp/client_context.h>

#include <chrono>
#include <optional>
#include <string>

namespace pinion::client {

// The metadata that pins are sent in and versions are told in, unless a gateway has another name.
inline constexpr char kDefaultHeader[] = "api-version";

// That the version which answers will end.
struct Notice {
  std::string grpc_service;  // empty where it is not known
  std::string version;
  std::optional<std::chrono::system_clock::time_point> deprecated;  // since when, RFC 9745
  std::optional<std::chrono::system_clock::time_point> sunset;      // when it ends, RFC 8594
  std::string link;  // about what comes instead; empty: none

  bool operator==(const Notice&) const = default;
};

struct Response {
  std::string version;           // empty: no version answered
  std::optional<Notice> notice;  // none: it is not deprecated

  bool operator==(const Response&) const = default;
};

// REQUIRES: the call has ended or, if it is a stream, brought its first message.
Response ReadResponse(const grpc::ClientContext& context,
                      const std::string& header = kDefaultHeader);

}  // namespace pinion::client
