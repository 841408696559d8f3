// W3C Trace Context (levels 1 and 2): the `traceparent` of a call, so that the gateway's log line
// and what the instance records of it can be found by one id. The gateway reports no spans: a valid
// traceparent goes on unchanged, with its tracestate; where there is none, or none that is valid, a
// new one is made and the tracestate is dropped. Pure but for the Random.
#pragma once

#include <array>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/random.h"
#include "gateway/http2/header_field.h"

namespace pinion::proxy {

// version "-" trace-id "-" parent-id "-" flags
inline constexpr size_t kTraceparentBytes = 55;
inline constexpr size_t kTraceIdBytes = 32;

// The trace id, a view into `traceparent`; empty: it is not valid. Of a version above 00 the known
// fields are read, and what follows them must begin with '-' (section 3.2.4).
absl::string_view TraceIdOf(absl::string_view traceparent);

// The trace context of one call.
class TraceContext {
 public:
  // Takes the caller's traceparent over (`repeated`: it came more than once, which is not valid),
  // or makes one: not sampled, since nobody records it here; its trace id is random (flag 02).
  void Begin(absl::string_view traceparent, bool repeated, Random& random);

  // Valid until the next Begin() and as long as the caller's headers.
  absl::string_view trace_id() const { return trace_id_; }

  // Puts it into the fields that go to the instance, as views into this.
  void AddTo(std::vector<http2::HeaderField>& fields) const;

 private:
  bool made_ = false;
  absl::string_view trace_id_;
  std::array<char, kTraceparentBytes> own_;
};

}  // namespace pinion::proxy
