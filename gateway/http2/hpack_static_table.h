// The static table of HPACK (RFC 7541 appendix A).
#pragma once

#include <array>
#include <cstddef>

#include "absl/strings/string_view.h"
#include "gateway/http2/header_field.h"

namespace pinion::http2 {

struct StaticHeader {
  absl::string_view name;
  absl::string_view value;
};

// Entry i has the index i + 1.
inline constexpr std::array<StaticHeader, 61> kStaticHeaders = {{
    {":authority", ""},
    {":method", "GET"},
    {":method", "POST"},
    {":path", "/"},
    {":path", "/index.html"},
    {":scheme", "http"},
    {":scheme", "https"},
    {":status", "200"},
    {":status", "204"},
    {":status", "206"},
    {":status", "304"},
    {":status", "400"},
    {":status", "404"},
    {":status", "500"},
    {"accept-charset", ""},
    {"accept-encoding", "gzip, deflate"},
    {"accept-language", ""},
    {"accept-ranges", ""},
    {"accept", ""},
    {"access-control-allow-origin", ""},
    {"age", ""},
    {"allow", ""},
    {"authorization", ""},
    {"cache-control", ""},
    {"content-disposition", ""},
    {"content-encoding", ""},
    {"content-language", ""},
    {"content-length", ""},
    {"content-location", ""},
    {"content-range", ""},
    {"content-type", ""},
    {"cookie", ""},
    {"date", ""},
    {"etag", ""},
    {"expect", ""},
    {"expires", ""},
    {"from", ""},
    {"host", ""},
    {"if-match", ""},
    {"if-modified-since", ""},
    {"if-none-match", ""},
    {"if-range", ""},
    {"if-unmodified-since", ""},
    {"last-modified", ""},
    {"link", ""},
    {"location", ""},
    {"max-forwards", ""},
    {"proxy-authenticate", ""},
    {"proxy-authorization", ""},
    {"range", ""},
    {"referer", ""},
    {"refresh", ""},
    {"retry-after", ""},
    {"server", ""},
    {"set-cookie", ""},
    {"strict-transport-security", ""},
    {"transfer-encoding", ""},
    {"user-agent", ""},
    {"vary", ""},
    {"via", ""},
    {"www-authenticate", ""},
}};

// Of each entry.
inline constexpr std::array<HeaderName, kStaticHeaders.size()> kStaticNames = [] {
  std::array<HeaderName, kStaticHeaders.size()> names{};
  for (size_t i = 0; i < names.size(); ++i) {
    const bool again = i > 0 && kStaticHeaders[i].name == kStaticHeaders[i - 1].name;
    names[i] = again ? names[i - 1] : HeaderName(i + 1);
  }
  return names;
}();

}  // namespace pinion::http2
