// What a client speaks, and what one hears that speaks HTTP/1 where HTTP/2 is spoken. Pure; any
// thread.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace pinion::http2 {

enum class Greeting : uint8_t {
  kUndecided,  // the beginning of one of the next two
  kHttp2,      // kClientPreface
  kHttp1,      // a method of HTTP/1, and a space
  kOther,
};

// How a client begins. `first_bytes`: those that have come so far, at most as many as
// kClientPreface has; so many are never undecided.
Greeting GreetingOf(absl::string_view first_bytes);

// The whole answer to a request of HTTP/1: a response that says what to do. Static storage.
absl::string_view AnswerToHttp1();

}  // namespace pinion::http2
