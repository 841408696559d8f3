// A header field, and what is found out about it once so that nobody has to look again. Values; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace pinion::http2 {

// The names of HPACK's static table and those that the gateway knows, as numbers: a name is looked
// up when its field is read, and compared often.
enum class HeaderName : uint8_t {
  kUnread = 0,  // nobody has looked
  // Up to kStaticLast by the first index in the static table (RFC 7541 appendix A); those that
  // nothing here asks for have no word of their own.
  kAuthority = 1,
  kMethod = 2,
  kPath = 4,
  kScheme = 6,
  kStatus = 8,
  kPseudoLast = 14,
  kAuthorization = 23,
  kContentLength = 28,
  kContentType = 31,
  kCookie = 32,
  kHost = 38,
  kProxyAuthorization = 49,
  kTransferEncoding = 57,
  kStaticLast = 61,
  kConnection,
  kKeepAlive,
  kProxyConnection,
  kUpgrade,
  kTe,
  kGrpcTimeout,
  kGrpcEncoding,
  kGrpcAcceptEncoding,
  kGrpcStatus,
  kGrpcMessage,
  kGrpcStatusDetails,
  kGrpcPreviousAttempts,
  kGrpcRetryPushback,
  kTraceparent,
  kTracestate,
  kApiVersion,
  kOther,  // none of these
};

HeaderName FindHeaderName(absl::string_view name);

// Static text. REQUIRES: a name that FindHeaderName() finds.
absl::string_view TextOf(HeaderName name);

inline bool IsPseudo(HeaderName name) {
  return name >= HeaderName::kAuthority && name <= HeaderName::kPseudoLast;
}

// The views point into whatever holds the field: a HeaderBlock, or the sender's own memory.
struct HeaderField {
  absl::string_view name;  // lower case on the wire
  absl::string_view value;
  bool never_index = false;  // RFC 7541 section 7.1.3; kept when the field is forwarded
  // Known to be right by itself (FieldFault()), whatever its place is. False says nothing.
  bool well_formed = false;
  HeaderName name_id = HeaderName::kUnread;  // of `name`
  uint32_t hash = 0;                         // HashOf() both; zero: not yet

  HeaderName Name() const {
    return name_id != HeaderName::kUnread ? name_id : FindHeaderName(name);
  }

  // Its part of a header list's size (RFC 9113 section 6.5.2).
  size_t list_bytes() const { return name.size() + value.size() + 32; }

  // Another value for the same name, and nothing known of it.
  void SetValue(absl::string_view text) {
    value = text;
    well_formed = false;
    hash = 0;
  }
};

// REQUIRES: as TextOf().
inline HeaderField MakeField(HeaderName name, absl::string_view value) {
  HeaderField field = {TextOf(name), value};
  field.name_id = name;
  return field;
}

// Of all of them together.
size_t ListBytes(absl::Span<const HeaderField> fields);

// Of name and value, from samples of both: enough to tell headers apart, and equal ones are to be
// compared in full. Never zero.
uint32_t HashOf(const HeaderField& field);

}  // namespace pinion::http2
