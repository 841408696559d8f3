// Is a decoded header list a well-formed request, response or trailer section (RFC 9113
// sections 8.2 and 8.3)? Strict, since what passes here is forwarded to servers that may be less
// so. Pure functions; any thread.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gateway/http2/header_field.h"

namespace pinion::http2 {

// What the session needs to know of a message beyond its fields.
struct MessageFacts {
  static constexpr int64_t kNoContentLength = -1;

  int64_t content_length = kNoContentLength;
  int status = 0;  // responses
};

// Each returns why the list is malformed, in static text, or an empty view when it is well-formed;
// only then `facts` is whole.
//
// A request that passes has :method, :scheme and :path, where :path begins with '/' or is the "*"
// of OPTIONS. CONNECT does not pass: there is no tunnel here.
absl::string_view RequestFault(absl::Span<const HeaderField> fields, MessageFacts& facts);

// A response that passes has a :status from 100 to 999, not 101.
absl::string_view ResponseFault(absl::Span<const HeaderField> fields, MessageFacts& facts);

absl::string_view TrailersFault(absl::Span<const HeaderField> fields);

// Of a field by itself, pseudo-headers too, wherever it stands: what HeaderField::well_formed says
// that it does not have. The lists above look again where it does not say so.
absl::string_view FieldFault(const HeaderField& field);

}  // namespace pinion::http2
