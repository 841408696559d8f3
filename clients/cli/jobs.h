// Jobs as a command starts them and tells of them.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "clients/cli/invocation.h"
#include "pinion/registry/v1/registry.pb.h"

namespace pinion::cli {

struct JobStart {
  std::string at;       // a moment; empty: now
  bool detach = false;  // do not wait for its end
};

// Starts the job and prints it; one that begins now is waited for, unless the user asks to stop,
// after which it goes on all the same. Ends with kExitFailed if the job had to pass over pins.
absl::Status StartJob(Invocation& run, v1::StartJobRequest request, const JobStart& start);

// "addressbook: pins on ^1 → ^2": what a job does.
std::string JobChangeText(const v1::Job& job);

}  // namespace pinion::cli
