// What a client hears that speaks HTTP/1 where HTTP/2 is spoken. Pure; any thread.
#pragma once

#include "absl/strings/string_view.h"

namespace pinion::http2 {

// The whole answer to a client whose first bytes are these: an HTTP/1.1 response that says what to
// do. Empty: it does not look like a request of HTTP/1. Static storage.
absl::string_view AnswerToForeign(absl::string_view first_bytes);

}  // namespace pinion::http2
