// google.protobuf.Duration, as messages carry times, and absl::Duration, as code does. Pure
// functions; any thread.
#pragma once

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"

namespace pinion {

// What google/protobuf/duration.proto allows: at most 10,000 years either way, and nanoseconds
// below a second and of the same sign. A message of a stranger may hold anything else too.
bool IsDuration(const google::protobuf::Duration& proto);

// The sum of the parts, also where that is no Duration by those rules, but within their 10,000
// years.
absl::Duration FromProto(const google::protobuf::Duration& proto);

// Whole nanoseconds, the rest cut off; beyond 10,000 years the nearest there is.
google::protobuf::Duration ToProto(absl::Duration duration);

}  // namespace pinion
