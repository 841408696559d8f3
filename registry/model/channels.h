// The rules of channels and their ramps: what a ramp may say, where a channel leads, and what it
// has left. Pure.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "pinion/registry/v1/registry.pb.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::model {

// Of a channel with a ramp, without regard to whether there are such versions. InvalidArgument: no
// version, the channel's own one, or a share that is none.
absl::Status ValidateRamp(const routing::v1::Channel& channel);

// Whether anybody gets `version` by the channel.
bool LeadsTo(const routing::v1::Channel& channel, absl::string_view version);

// Notes in `after` the versions that `before`, which it follows at `now`, led to and it does not,
// and forgets those whose rollback window is over, and those that it leads to again.
void NoteLeft(const routing::v1::Channel& before, absl::Duration rollback_window,
              const google::protobuf::Timestamp& now, registry::v1::Channel& after);

}  // namespace pinion::model
